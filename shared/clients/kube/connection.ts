import { Agent } from 'node:https'
import { KubeError } from '../../errors.ts'
import { oneLine } from '../foreign.ts'
import type { Proxy } from '../proxy.ts'

/** Where a cluster's API server is, and how to authenticate. PEM texts; the token is fetched when it is needed. */
export interface KubeConnection {
  /** `https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com` */
  server: string
  /** PEM. Absent: the system's authorities. */
  ca?: string
  /** `fresh`: the last token was rejected. */
  token?: (options: { fresh: boolean }) => Promise<string>
  cert?: string
  key?: string
  /** The name in the server's certificate if it differs from the address. */
  tlsServerName?: string
  insecureSkipTlsVerify?: boolean
  /** Through which it is reached. */
  proxy?: Proxy
  /** Headers by which we act as another user. */
  impersonation?: Record<string, string | string[]>
}

export function baseOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol === 'https:') return url
  throw new KubeError(
    'unreachable',
    `The API server's address must begin with https:// (it is ${oneLine(server.replace(/[^/@]*@/, '[secret]@'), 100)}).`,
  )
}

export function agentFor(
  { ca, cert, key, tlsServerName, insecureSkipTlsVerify, proxy }: KubeConnection,
  maxSockets: number,
): Agent {
  return new Agent({
    keepAlive: true,
    maxSockets,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tlsServerName !== undefined && { servername: tlsServerName }),
    ...(insecureSkipTlsVerify && { rejectUnauthorized: false }),
    // Node speaks with an https:// proxy by the system's authorities: ours, and our certificate, are for the cluster alone.
    ...(proxy && { proxyEnv: { HTTPS_PROXY: proxy.url } }),
  })
}
