import { createHash } from 'node:crypto'
import type { Rollout } from '../../domain/rollout/rollout.ts'

/**
 * What was decided after a look at the whole cluster, as one word that only this decision has. The party that decided
 * remembers it outside the cluster: in its messages, or in its process. A Lease that says anything else was not written
 * by it, and before it is acted upon the cluster is looked at again. How far a rollout has come, its pace (bounded by the
 * policy), and through which API it goes on, change on the way.
 */
export const decisionOf = (rollout: Rollout): string => {
  const { id, target, canary, last = [], skip, defaulted, restart, zones, where, why, startedAt } = rollout
  const { calico, spec, known } = where
  const decided = [id, target, canary, last, skip, defaulted, restart, zones, calico, spec, known, why, startedAt]
  return createHash('sha256')
    .update(JSON.stringify(decided.map((it) => it ?? null)))
    .digest('hex')
    .slice(0, 40)
}
