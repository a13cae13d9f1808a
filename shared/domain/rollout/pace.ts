import type { Policy } from '../policy/policy.ts'
import type { Strategy } from '../report.ts'
import type { Pace } from './rollout.ts'

export const paceOf = ({
  strategy,
  maxUnavailable,
  canarySeconds,
  settleSeconds,
  nodeDeadlineSeconds,
}: Pace & Partial<Policy>): Pace => ({ strategy, maxUnavailable, canarySeconds, settleSeconds, nodeDeadlineSeconds })

const strategies: readonly Strategy[] = ['staged', 'canary', 'direct']

/**
 * The slower of both for every setting: the Lease cannot make a rollout faster than the policy of the process that
 * applies it. A number and a percentage cannot be compared without the number of nodes: then the policy is used.
 */
export const carefulPace = (asked: Pace, policy: Pace): Pace => ({
  strategy: strategies[Math.min(strategies.indexOf(asked.strategy), strategies.indexOf(policy.strategy))] ?? 'staged',
  maxUnavailable: fewer(asked.maxUnavailable, policy.maxUnavailable),
  canarySeconds: Math.max(asked.canarySeconds, policy.canarySeconds),
  settleSeconds: Math.max(asked.settleSeconds, policy.settleSeconds),
  nodeDeadlineSeconds: Math.min(asked.nodeDeadlineSeconds, policy.nodeDeadlineSeconds),
})

/** One node at a time. */
export const oneByOne = (pace: Pace): Pace => ({ ...pace, strategy: 'staged', maxUnavailable: 1 })

const fewer = (asked: Pace['maxUnavailable'], policy: Pace['maxUnavailable']): Pace['maxUnavailable'] =>
  asked === 1 ||
  (typeof asked === typeof policy && Number.parseFloat(String(asked)) < Number.parseFloat(String(policy)))
    ? asked
    : policy
