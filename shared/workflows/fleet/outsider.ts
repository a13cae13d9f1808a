import { type FleetBounds, whyOutside } from '../../domain/fleet.ts'
import type { Log } from '../../log.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'

/**
 * Whether a cluster is outside the fleet: then it is not evaluated with any credentials, and an alarm counts the log
 * line. `cause`: what named the cluster, for the log.
 */
export const isOutsider = (
  { fleet, log }: { fleet: FleetBounds; log: Log },
  cluster: ClusterRef,
  cause: string | undefined,
): boolean => {
  const why = whyOutside(fleet, cluster)
  if (why !== undefined) log('not in the fleet', { cluster: clusterKey(cluster), why, cause }, 'warn')
  return why !== undefined
}
