/** The identity of a cluster, as EKS or the connection knows it. Unknown fields are absent. */
export interface ClusterMarks {
  arn?: string
  /** Used only if there is no ARN. */
  name?: string
  account?: string
  region?: string
  /** `host:port`, from `endpointOf`. */
  endpoint?: string
  /** SHA-256 of each certificate of its authority, hex. Absent: there is none to compare. */
  authorities?: string[]
}

/** The connected cluster, as the connection knows it, and the cluster that EKS describes under its name. */
export interface ClusterComparison {
  connected: ClusterMarks & {
    /** The server's certificate is not verified. */
    unverified?: true
  }
  /** Absent: EKS was not called, or did not answer. */
  described?: ClusterMarks
}

/** A field in which the two differ, or that is missing while no other field proves that they are the same cluster. */
export interface Difference {
  mark: 'ARN' | 'name' | 'account' | 'region' | 'endpoint' | 'certificate authority'
  connected: string
  described: string
}

/** `HTTPS://Host.` and `https://host:443/` are the same server. User and password are removed. */
export const endpointOf = (server: string): string => {
  if (!URL.canParse(server)) return 'no address'
  const { hostname, port, pathname } = new URL(server)
  // The parser accepts `user:password@host` as a URL, with all of it as the path.
  if (hostname === '') return 'no address'
  return `${hostname.replace(/\.$/, '')}:${port || '443'}${pathname.replace(/\/+$/, '')}`
}

/**
 * In which fields EKS's cluster differs from the connected one; empty: they are the same. A name in the kubeconfig
 * must be that of EKS. Every cluster has its own authority: at another address (VPN, tunnel, private name) the
 * authority identifies the cluster, if the connection trusts no other. Another authority at the same address means
 * another cluster or an intercepted connection. If no authority is verified, only the address is compared.
 */
export const differences = ({ connected, described }: ClusterComparison): Difference[] => {
  if (!described) return []
  return [
    ...otherName(connected, described),
    ...(connected.endpoint === undefined ? [] : otherServer(connected, described)),
  ]
}

/** `undefined`: this is no ARN of an EKS cluster. */
export const partsOf = (
  arn: string,
): Required<Pick<ClusterMarks, 'arn' | 'name' | 'account' | 'region'>> | undefined => {
  const [, region, account, name] = /^arn:[\w-]+:eks:([\w-]+):(\d{12}):cluster\/(.+)$/.exec(arn) ?? []
  return region && account && name ? { name, arn, account, region } : undefined
}

const otherName = (connected: ClusterMarks, described: ClusterMarks): Difference[] => {
  if (connected.arn !== undefined) return differing('ARN', connected.arn, described.arn)
  const known = { ...described, ...partsOf(described.arn ?? '') }
  return (['name', 'account', 'region'] as const).flatMap((mark) => differing(mark, connected[mark], known[mark]))
}

const differing = (mark: Difference['mark'], connected?: string, described?: string): Difference[] =>
  connected === undefined || connected === described ? [] : [{ mark, connected, described: described ?? 'none' }]

const otherServer = (connected: ClusterComparison['connected'], described: ClusterMarks): Difference[] => {
  const address = differing('endpoint', connected.endpoint, described.endpoint)
  const believed = connected.unverified ? undefined : connected.authorities
  if (believed === undefined) return address
  const known = (it: string) => described.authorities?.includes(it) ?? false
  const isSame = address.length === 0 ? believed.some(known) : believed.every(known)
  if (isSame && believed.length > 0) return []
  const authority = { connected: listed(believed), described: listed(described.authorities ?? []) }
  return [...address, { mark: 'certificate authority', ...authority }]
}

const listed = (authorities: string[]): string =>
  authorities.length === 0 ? 'none' : authorities.map((it) => `SHA-256 ${it.slice(0, 16)}…`).join(', ')
