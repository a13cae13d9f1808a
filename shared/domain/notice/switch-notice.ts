import type { Notice } from './notice.ts'
import type { Action, BrakePosition, Policy, Switch } from '../policy/policy.ts'

const meaning: Record<Action, string> = {
  off: 'it is not evaluated',
  report: 'it is only reported, and nothing is changed',
  sync: 'changes are made',
}

const cause: Record<Switch['by'], string> = {
  policy: "by the deployment's policy",
  tag: 'by its tag calico-ipvs-sync',
  limit: "by the deployment's policy.limit",
  account: 'because the deployment has no role that may change its account (operatorRoleArn)',
  brake: 'by the brake',
}

export interface ClusterSwitched {
  /** As `placeOf` says it. */
  where: string
  from: Action
  to: Switch
  /** The brake decided before, and does no more. */
  released: boolean
  /** A rollout is in progress, and stops or continues because of this. */
  unfinished: boolean
}

export const clusterSwitched = ({ where, from, to, released, unfinished }: ClusterSwitched): Notice => {
  const because = released ? 'because the brake was released' : cause[to.by]
  const rollout = to.action === 'sync' ? 'continues' : 'stops where it is: no further write is made'
  return {
    subject: `[info] ${where}: switched from ${from} to ${to.action} ${because}`,
    text: [
      `${where} was switched from ${from} to ${to.action} ${because}: ${meaning[to.action]}.`,
      ...(unfinished ? [`The rollout in progress ${rollout}.`] : []),
    ].join('\n'),
    severity: 'info',
    kind: 'switched',
  }
}

/** The switches of the whole deployment, as a text that changes only when they change. */
export const deploymentSwitches = ({ action, limit }: Pick<Policy, 'action' | 'limit'>, brake: BrakePosition): string =>
  `action ${action}, limit ${limit}, brake ${brake.most}`

export const deploymentSwitched = (from: string, to: string, release: string | undefined): Notice => ({
  subject: `[info] all clusters: ${to}`,
  text: [
    `The switches of this deployment were: ${from}. They are now: ${to}.`,
    "The action of a cluster is the lowest of its tag (or the policy's action), limit, and brake.",
    ...(release === undefined ? [] : [`To release the brake: ${release}`]),
  ].join('\n'),
  severity: 'info',
  kind: 'switched',
})
