import { milliseconds } from '../rfc3339.ts'
import { type Flight, lastOf, remaining, type RolloutNow } from './places.ts'
import type { Rollout } from './rollout.ts'

/** With the number of seconds for which the rollout waits until it counts as well. */
export type Settling = Flight & { settle: number }

/** More are not needed: the first that is late halts the rollout. A Lease is small. */
export const unwellAtMost = 100

/**
 * The touched nodes that have not stayed well although they had the time for it, and since when: kept in the Lease, because a
 * pod has only the time of its last transition, and a missing pod has none. Without it, each failure would start the
 * deadline of a node anew. A node that has stayed well is forgotten.
 */
export const unwellNow = (current: RolloutNow, touched: Settling[]): NonNullable<Rollout['unwell']> => {
  const { now, rollout } = current
  const known = new Map(rollout.unwell?.map(({ node, since }) => [node, since]))
  const found = touched.flatMap(({ node, pod, changedAt, settle }) => {
    if (changedAt === undefined || remaining(current, { node, pod, changedAt }, settle) === undefined) return []
    const hadTime = now - milliseconds(changedAt) > 2 * settle * 1000
    // A node's clock may be ahead of ours, and a time in the Lease that is in the future is invalid.
    const begun = () =>
      new Date(pod ? Math.min(now, lastOf(now, changedAt, pod.readySince ?? pod.createdAt)) : now).toISOString()
    const since = known.get(node) ?? (hadTime ? begun() : undefined)
    return since === undefined ? [] : [{ node, since }]
  })
  const byNode = new Map(found.map((it) => [it.node, it]))
  return [...byNode.values()].toSorted((a, b) => (a.since + a.node < b.since + b.node ? -1 : 1)).slice(0, unwellAtMost)
}
