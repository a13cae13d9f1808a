/**
 * A Kubernetes cluster of the lab, whatever stands behind it: the real control plane with simulated nodes
 * (`lab/control-plane/`) or the embedded API server (`lab/embedded/`). Everything listens on 127.0.0.1 only.
 */
export interface LabCluster {
  readonly name: string
  readonly kind: 'real' | 'embedded'
  /** `https://127.0.0.1:PORT` */
  readonly server: string
  /** PEM of the CA that signed the server's certificate, base64, as EKS answers it in `certificateAuthority.data`. */
  readonly caData: string
  /** A kubeconfig on disk whose current context is `name`; its user is cluster-admin by bearer token. */
  readonly kubeconfig: string
  readonly adminToken: string
  /** A request as the administrator. Answers the parsed body (text where it is not JSON); throws on a status of 400 and above. */
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown>
  /** What EKS does on UpdateClusterConfig: API servers come back with another `--service-node-port-range`. */
  setNodePortRange(range: PortSpan): Promise<void>
  /** Makes the API server go away without a word, as a crash would. `resume` brings it back with all its objects. */
  suspend(): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
}

export interface PortSpan {
  min: number
  max: number
}

/** What is asked of a lab cluster before it starts; the objects in it are made afterwards, by `lab/fixtures/`. */
export interface ClusterOptions {
  name: string
  nodePortRange?: PortSpan
  /** `/version` of the embedded server; the real one answers its own. */
  kubernetesVersion?: string
  /** Verifies bearer tokens that are not the administrator's; answers the user or undefined (401). */
  authenticate?: (token: string) => Promise<AuthenticatedUser | undefined>
}

export interface AuthenticatedUser {
  username: string
  groups: string[]
}
