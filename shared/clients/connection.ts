/** Where a cluster's API server is and how to be believed there. PEM texts; the token is asked for when it is needed. */
export interface KubeConnection {
  /** `https://0123ABCD.gr7.eu-west-1.eks.amazonaws.com` */
  server: string
  /** PEM. Absent: the system's authorities. */
  ca?: string
  /** `fresh`: the last one was refused. */
  token?: (options: { fresh: boolean }) => Promise<string>
  cert?: string
  key?: string
  /** The name on the server's certificate where it is not the one in the address. */
  tlsServerName?: string
  insecureSkipTlsVerify?: boolean
}
