import type { Exception } from './exception.ts'
import type { Severity, Strategy } from '../report.ts'
import type { Window } from './window.ts'

/** What the tool may do: every setting of the stack and the command line that affects a decision. */
export interface Policy {
  /**
   * `off`: not evaluated · `report`: evaluated and reported · `sync`: also changed. The EKS tag `calico-ipvs-sync`
   * overrides it per cluster.
   */
  action: Action
  /** The highest action that a tag can set. */
  limit: Action
  strategy: Strategy
  /** Nodes that may be disturbed at one time: a number, or a percentage of the nodes in scope, rounded down, at least one. */
  maxUnavailable: number | `${number}%`
  /** `auto`: only where the running Felix cannot have noticed the mode · `always`: whenever Calico's documentation says so · `never`. */
  restarts: 'auto' | 'always' | 'never'
  /**
   * How long the first node must stay well before the next is touched, in seconds: Felix stops 2 s after the write,
   * then three readiness probes at intervals of ten seconds must fail, and the API server must be updated.
   */
  canarySeconds: number
  /**
   * The same for every later node: long enough to detect a node that does not become Ready before the next is
   * touched.
   */
  settleSeconds: number
  /** A node that is not well after this time halts the rollout, in seconds after it was touched. */
  nodeDeadlineSeconds: number
  ignoreOwner: boolean
  /** When nodes may be disturbed. Empty: at any time. */
  windows: readonly Window[]
  /** Clusters or findings that are neither changed nor reported, each with an end and a reason. */
  exceptions: readonly Exception[]
  /** Clusters that may be changed at one time, over the whole deployment. */
  clustersAtOnce: number
  /** CloudWatch alarms, by name or ARN: while one of them is in state ALARM, no further node is touched. */
  pauseOnAlarms: readonly string[]
  failOn?: Severity | 'never'
}

export type Action = 'off' | 'report' | 'sync'

export const defaultPolicy: Policy = {
  action: 'report',
  limit: 'sync',
  strategy: 'staged',
  maxUnavailable: 1,
  restarts: 'auto',
  canarySeconds: 45,
  settleSeconds: 35,
  nodeDeadlineSeconds: 300,
  ignoreOwner: false,
  windows: [],
  exceptions: [],
  // A faulty change is faulty in every cluster: only one cluster at a time may be exposed to it.
  clustersAtOnce: 1,
  pauseOnAlarms: [],
}

/** In ascending order. */
const actions: readonly string[] = ['off', 'report', 'sync'] satisfies Action[]

/** The position of the deployment's brake. `unreadable`: why it could not be read; then it counts as `report`. */
export interface BrakePosition {
  most: Action
  unreadable?: string
}

/** The action for a cluster, and which of the five switches decided it. */
export interface Switch {
  action: Action
  by: 'policy' | 'tag' | 'limit' | 'account' | 'brake'
}

/**
 * The cluster's own tag takes precedence over the deployment's policy (an unknown value is ignored). Neither can
 * exceed the policy's limit, what the deployment may do in the cluster's account, or the brake.
 */
export const switchOf = (
  { action, limit }: Pick<Policy, 'action' | 'limit'>,
  tags: Record<string, string> = {},
  brake: BrakePosition = { most: 'sync' },
  account: Action = 'sync',
): Switch => {
  const tag = tags['calico-ipvs-sync']?.trim().toLowerCase()
  const wanted: Switch =
    tag !== undefined && actions.includes(tag) ? { action: tag as Action, by: 'tag' } : { action, by: 'policy' }
  const limited = exceeds(wanted.action, limit) ? ({ action: limit, by: 'limit' } as const) : wanted
  const possible = exceeds(limited.action, account) ? ({ action: account, by: 'account' } as const) : limited
  return exceeds(possible.action, brake.most) ? { action: brake.most, by: 'brake' } : possible
}

const exceeds = (action: Action, most: Action): boolean => actions.indexOf(action) > actions.indexOf(most)

/** Nodes that may be disturbed at one time among `inScope` nodes; at least one. */
export const budget = (maxUnavailable: Policy['maxUnavailable'], inScope: number): number => {
  const nodes =
    typeof maxUnavailable === 'number'
      ? maxUnavailable
      : Math.floor((Number.parseFloat(maxUnavailable) * inScope) / 100)
  return Math.max(1, Math.min(nodes, Math.max(inScope, 1)))
}

/** The defaults, overridden by the given settings. */
export const policyWith = (given: { [K in keyof Policy]?: Policy[K] | undefined }): Policy => ({
  ...defaultPolicy,
  ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Policy>),
})
