import type { Severity, Strategy } from './report.ts'

/** What the tool may do. Every knob of the stack and the command line that a decision depends on. */
export interface Policy {
  /** `off`: not looked at · `report`: only told · `sync`: put right. The EKS tag `calico-ipvs-sync` overrides it per cluster. */
  action: 'off' | 'report' | 'sync'
  strategy: Strategy
  /** Nodes that may be disturbed at one time: a number, or a percentage of the nodes in scope, at least one. */
  maxUnavailable: number | `${number}%`
  /** `auto`: only where the running Felix cannot have noticed the mode · `always`: whenever Calico's documentation says so · `never`. */
  restarts: 'auto' | 'always' | 'never'
  /** How long the first node must stay well before the next is touched, in seconds: three readiness probes of ten seconds. */
  canarySeconds: number
  /** The same for every later node. */
  settleSeconds: number
  /** A node that is not well by then halts the rollout, in seconds after it was touched. */
  nodeDeadlineSeconds: number
  ignoreOwner: boolean
  failOn?: Severity | 'never'
}

export const defaultPolicy: Policy = {
  action: 'report',
  strategy: 'staged',
  maxUnavailable: 1,
  restarts: 'auto',
  canarySeconds: 30,
  settleSeconds: 10,
  nodeDeadlineSeconds: 300,
  ignoreOwner: false,
}
