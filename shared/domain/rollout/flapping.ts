import type { PodState } from '../cluster.ts'
import { milliseconds } from '../rfc3339.ts'
import { longestSettle, remaining, type RolloutNow } from './places.ts'
import type { Rollout } from './rollout.ts'

type Unwell = NonNullable<Rollout['unwell']>

/**
 * What a halt remembers: the nodes that have failed again and again, by the transitions of their pods. One that was not Ready all
 * the time, and is later, has come back. One that is Ready for the first time just now cannot be told apart: its former value harms it less
 * than a value that it may not take.
 */
export const thoseFlapping = ({ unwell = [] }: Pick<Rollout, 'unwell'>, pods: PodState[]): Unwell =>
  unwell.filter(({ node, since }) => pods.some((pod) => pod.node === node && changedAfter(since, pod)))

const changedAfter = (since: string, { readySince = '' }: PodState): boolean =>
  milliseconds(readySince) > milliseconds(since)

/**
 * After a halt: the node had failed again and again, and is Ready for a moment only. The Lease may be forged, so the pod
 * itself must have become Ready since.
 */
export const isFlapping = (current: RolloutNow, pod: PodState): boolean => {
  const since = current.rollout.unwell?.find(({ node }) => node === pod.node)?.since
  if (since === undefined || !changedAfter(since, pod)) return false
  const flight = { node: pod.node, pod, changedAt: since }
  return remaining(current, flight, longestSettle(current.rollout)) !== undefined
}
