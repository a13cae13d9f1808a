/** By what one cluster is told from another, as one side knows it. What a side does not know is absent. */
export interface ClusterMarks {
  arn?: string
  /** Each counts only where there is no ARN. */
  name?: string
  account?: string
  region?: string
  /** `host:port`, from `endpointOf`. */
  endpoint?: string
  /** SHA-256 of each certificate of its authority, hex. Absent: none is there to compare. */
  authorities?: string[]
}

/** The cluster that is connected to, as the connection knows it, and the one that EKS describes under its name. */
export interface ClusterComparison {
  connected: ClusterMarks & {
    /** The server's certificate is not verified. */
    unverified?: true
  }
  /** Absent: EKS was not asked, or did not answer. */
  described?: ClusterMarks
}

/** One mark in which the two differ, or that is missing where nothing else proves that they are one. */
export interface Difference {
  mark: 'ARN' | 'name' | 'account' | 'region' | 'endpoint' | 'certificate authority'
  connected: string
  described: string
}

/** `HTTPS://Host.` and `https://host:443/` lead to the same server. Without user and password, which an address may hold. */
export const endpointOf = (server: string): string => {
  if (!URL.canParse(server)) return 'no address'
  const { hostname, port, pathname } = new URL(server)
  // `user:password@host` is an address to the parser, with all of it as a path.
  if (hostname === '') return 'no address'
  return `${hostname.replace(/\.$/, '')}:${port || '443'}${pathname.replace(/\/+$/, '')}`
}

/**
 * In what EKS's cluster is not the one that is connected to; empty: they are one. A name that the kubeconfig claims must be
 * EKS's. A cluster's authority is its own: behind another address (VPN, tunnel, private name) it proves the cluster, if no
 * other authority would be believed as well. At the same address another authority is another cluster, or a connection in
 * which somebody stands in between. Where no authority is verified, only the address is left.
 */
export const differences = ({ connected, described }: ClusterComparison): Difference[] => {
  if (!described) return []
  return [
    ...otherName(connected, described),
    ...(connected.endpoint === undefined ? [] : otherServer(connected, described)),
  ]
}

/** `undefined`: no ARN of an EKS cluster. */
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
