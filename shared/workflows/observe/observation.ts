import type { KubeReads } from '../../clients/kube/client.ts'
import type { ClusterState, EksState } from '../../domain/cluster.ts'
import type { ClusterComparison } from '../../domain/identity.ts'
import { failed, type Read, type ReadFailure } from '../../domain/read.ts'
import type { ClusterIdentity, ServiceRange } from '../../domain/report.ts'

export interface Observation {
  kube: KubeReads
  identity: ClusterIdentity
  now: Date
  /** EKS's description of the cluster; absent if no EKS API answers for it. */
  eks?: Read<EksState>
  /**
   * The identity to compare `eks` with the cluster behind `kube`; absent if the connection was made from EKS's
   * description.
   */
  comparison?: ClusterComparison
  givenServiceRange?: ServiceRange
  /** Why the API server did not return it, if it was probed. */
  probeFailure?: ReadFailure
  /** Reads all logs instead of a sample, and `/proxyMode` where it can be reached from outside the node. */
  deep?: boolean
}

/** The state of a cluster whose API server could not be reached: every section fails for the same reason. */
export function unobserved(it: Omit<Observation, 'kube' | 'deep'>, failure: ReadFailure): ClusterState {
  const none = (object: string) => failed<never>({ ...failure, object })
  return {
    ...headOf(it),
    kubernetesVersion: none('version'),
    nodes: none('Nodes'),
    daemonSets: none('DaemonSets'),
    pods: none('Pods'),
    configMaps: {},
    felix: none('FelixConfigurations'),
    clusterInformation: none('ClusterInformation/default'),
    installation: none('Installation/default'),
    nodePorts: none('Services'),
    logs: {},
    rollout: none('Lease'),
  }
}

/** What is known without a request to the cluster. */
export const headOf = ({
  identity,
  now,
  eks,
  comparison,
  givenServiceRange,
  probeFailure,
}: Omit<Observation, 'kube'>) => ({
  schemaVersion: 1 as const,
  cluster: identity,
  observedAt: now.toISOString(),
  ...(eks && { eks }),
  ...(comparison && { identity: comparison }),
  ...(givenServiceRange && { givenServiceRange }),
  ...(probeFailure && { probeFailure }),
})
