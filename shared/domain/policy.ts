import type { Exception } from './exception.ts'
import type { Severity, Strategy } from './report.ts'
import type { Window } from './window.ts'

/** What the tool may do. Every knob of the stack and the command line that a decision depends on. */
export interface Policy {
  /** `off`: not looked at · `report`: only told · `sync`: put right. The EKS tag `calico-ipvs-sync` overrides it per cluster. */
  action: Action
  strategy: Strategy
  /** Nodes that may be disturbed at one time: a number, or a percentage of the nodes in scope, at least one. */
  maxUnavailable: number | `${number}%`
  /** `auto`: only where the running Felix cannot have noticed the mode · `always`: whenever Calico's documentation says so · `never`. */
  restarts: 'auto' | 'always' | 'never'
  /**
   * How long the first node must stay well before the next is touched, in seconds: Felix ends 2 s after the write, then three
   * readiness probes of ten seconds must fail, and the word of it takes its time.
   */
  canarySeconds: number
  /** The same for every later node: long enough to hear of one that does not come back before the next is touched. */
  settleSeconds: number
  /** A node that is not well by then halts the rollout, in seconds after it was touched. */
  nodeDeadlineSeconds: number
  ignoreOwner: boolean
  /** When nodes may be disturbed. None: at any time. */
  windows: readonly Window[]
  /** What is left alone and not spoken of, each with an end and a reason. */
  exceptions: readonly Exception[]
  /** Clusters that may be changed at one time, over the whole deployment. */
  clustersAtOnce: number
  /** CloudWatch alarms, by name or ARN: while one of them rings, no further node is touched. */
  pauseOnAlarms: readonly string[]
  failOn?: Severity | 'never'
}

export type Action = 'off' | 'report' | 'sync'

export const defaultPolicy: Policy = {
  action: 'report',
  strategy: 'staged',
  maxUnavailable: 1,
  restarts: 'auto',
  canarySeconds: 45,
  settleSeconds: 35,
  nodeDeadlineSeconds: 300,
  ignoreOwner: false,
  windows: [],
  exceptions: [],
  // What is wrong with a change is wrong in every cluster: the first one to show it must be the only one.
  clustersAtOnce: 1,
  pauseOnAlarms: [],
}

const actions: readonly string[] = ['off', 'report', 'sync'] satisfies Action[]

/** The cluster's own switch wins over the deployment's; a value it does not know leaves the deployment's in force. */
export const actionFor = (policy: Policy, tags: Record<string, string> = {}): Action => {
  const tag = tags['calico-ipvs-sync']?.trim().toLowerCase()
  return tag !== undefined && actions.includes(tag) ? (tag as Action) : policy.action
}

/** Nodes that may be disturbed at one time among `inScope` nodes; at least one, or nothing could ever be done. */
export const budget = (maxUnavailable: Policy['maxUnavailable'], inScope: number): number => {
  const nodes =
    typeof maxUnavailable === 'number'
      ? maxUnavailable
      : Math.floor((Number.parseFloat(maxUnavailable) * inScope) / 100)
  return Math.max(1, Math.min(nodes, Math.max(inScope, 1)))
}

/** The defaults, with what was given in their place. */
export const policyWith = (given: { [K in keyof Policy]?: Policy[K] | undefined }): Policy => ({
  ...defaultPolicy,
  ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<Policy>),
})
