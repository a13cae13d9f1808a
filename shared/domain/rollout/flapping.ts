import type { PodState } from '../cluster.ts'
import { milliseconds } from '../rfc3339.ts'
import { longestSettle, remaining, type RolloutNow } from './places.ts'

/**
 * After a halt: the node had failed again and again, and is Ready for a moment only. The Lease may be forged, so the pod
 * itself must have become Ready since.
 */
export const isFlapping = (current: RolloutNow, pod: PodState): boolean => {
  const { evidence, unwell = [] } = current.rollout
  const since = unwell.find(({ node }) => node === pod.node)?.since
  // One that was not Ready all the time until the halt, and is now, has come back.
  const last = evidence?.node === pod.node ? evidence.pod?.readySince : pod.readySince
  if (since === undefined || !(milliseconds(last ?? '') > milliseconds(since))) return false
  const flight = { node: pod.node, pod, changedAt: since }
  return remaining(current, flight, longestSettle(current.rollout)) !== undefined
}
