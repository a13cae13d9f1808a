/** A node to be made: its name and InternalIP, a folder for logs, and a kubeconfig for the API server at some address. */
export interface NodeRequest {
  name: string
  address: string
  folder: string
  /** Port of the API server on 127.0.0.1. */
  apiPort: number
  /** Writes a kubeconfig whose server this is; answers its path. */
  kubeconfigFor: (server: string) => string
}
