import type { EksState } from '../domain/cluster.ts'
import type { Read } from '../domain/read.ts'

/** The EKS API of one account and region. */
export interface EksClient {
  /** `undefined` inside: no such cluster (any more). */
  describe: (name: string) => Promise<Read<EksCluster | undefined>>
  /** Names of the clusters EKS runs; clusters merely connected are left out. Throws where the list cannot be had. */
  list: () => Promise<string[]>
}

export interface EksCluster {
  state: EksState
  /** Absent while the cluster is being created. */
  endpoint?: EksEndpoint
}

export interface EksEndpoint {
  server: string
  /** PEM, base64. */
  caData: string
  /** What a token must be signed for: the name, on Outposts the id. */
  tokenFor: string
}
