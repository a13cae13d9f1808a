import { type FleetBounds, whyOutside } from '../../domain/fleet.ts'
import type { Log } from '../../log.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'

/**
 * Whether a cluster is none of the fleet's: then it is not looked at, by no credentials, and the line is counted by an alarm.
 * `cause`: what named it, for the log.
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
