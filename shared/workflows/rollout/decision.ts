import { createHash } from 'node:crypto'
import type { Rollout } from '../../domain/rollout/rollout.ts'

/**
 * The decision after an evaluation of the whole cluster, as a hash. The function or process that decided keeps it
 * outside the cluster: in its messages, or in its memory. A Lease with another hash was written by somebody else, and
 * the cluster is evaluated again before anything is changed. The progress of a rollout, its pace (limited by the
 * policy), and its API are not part of the decision, because they change during the rollout.
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
