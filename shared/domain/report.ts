import type { FindingCode } from './finding-codes.ts'

export { type FindingCode, findingCodes } from './finding-codes.ts'

/**
 * The published document: one schema for the command line, the Lambda logs and the stored records.
 * Fields without a value are absent, never null. `docs/report.schema.json` is the same as JSON Schema.
 */
export interface Report {
  schemaVersion: 1
  cluster: ClusterIdentity
  /** RFC 3339 */
  observedAt: string
  /** How long it took to read the cluster. Absent where that was not measured, as for a captured state. */
  readSeconds?: number
  verdict: Verdict
  serviceRange?: ServiceRange
  /** `"30000:32767"` or `"31000"`: ascending, disjoint, merged where adjacent. */
  desiredRange?: string[]
  calico?: { version?: string; install: 'operator' | 'manifest' | 'none'; api?: CalicoApi }
  kubeProxy?: { configuredMode?: Mode; addonVersion?: string }
  nodes: NodeReport[]
  findings: Finding[]
  plan?: Plan
  /** Node ports that Services have, as ranges; at most 200 of them. Absent where the Services could not be read. */
  portsInUse?: string[]
  /** A rollout that has not ended. */
  rollout?: RolloutReport
}

export interface RolloutReport {
  id: string
  state: 'running' | 'paused' | 'halted' | 'aborting'
  target?: string
  startedAt: string
  /** The node that did not come back. */
  lost?: string
  /** The newest ones, oldest first: `override` on `FelixConfiguration/node.n1`, `restart` of `Pod/NAMESPACE/NAME`, `halt` on `Node/n1`. */
  writes: { at: string; what: string; object: string }[]
}

export interface ClusterIdentity {
  name: string
  arn?: string
  account?: string
  region?: string
  context?: string
}

export type Verdict = 'in-step' | 'out-of-step' | 'changing' | 'not-applicable' | 'unknown'
export type Mode = 'iptables' | 'ipvs' | 'nftables'
export type CalicoApi = 'projectcalico.org/v3' | 'crd.projectcalico.org/v1'

export interface ServiceRange {
  min: number
  max: number
  source: 'eks-api' | 'default' | 'probe' | 'flag'
}

export interface NodeReport {
  name: string
  verdict: Verdict
  /** Why not applicable or unknown. */
  reason?: string
  runningMode: Mode | 'unknown'
  confidence: 'proven' | 'likely' | 'none'
  /** Whether Felix on this node is in IPVS mode, if known. */
  felixIpvs?: boolean
  /** Same form as `desiredRange`; `[]` = Felix uses none. */
  effectiveRange?: string[]
  rangeSource?: RangeSource
  markMask?: string
  /**
   * Endpoints for which the mask has room; 0 if Felix does not start with it. Present if IPVS is active or
   * configured.
   */
  markCapacity?: number
  podsMax?: number
}

/** Felix's own names of its layers: `host` = `node.<name>`, `global` = the object `default`, `default` = built in. */
export type RangeSource = 'env' | 'file' | 'host' | 'selector' | 'global' | 'default'

export type Severity = 'critical' | 'warning' | 'info'

export interface Finding {
  code: FindingCode
  severity: Severity
  /** `cluster`, `node/NAME`, `FelixConfiguration/NAME`, `DaemonSet/NAMESPACE/NAME`, … */
  subject: string
  message: string
  evidence: Evidence[]
  /** A command or an exact patch, ready to paste. */
  remedy?: string
}

export interface Evidence {
  /** `FelixConfiguration/default` */
  object: string
  /** `metadata.annotations[config.projectcalico.org/KubeNodePortRanges]` */
  field?: string
  value?: string
  /** RFC 3339 */
  at?: string
}

export interface Plan {
  strategy: Strategy
  changes: Change[]
  forecast: Forecast
  /** Finding codes that block the plan now; then `changes` is empty. */
  blockedBy: FindingCode[]
  /** Present where there are changes. */
  preconditions?: Preconditions
}

/** The preconditions of a plan when it is applied. */
export interface Preconditions {
  /** Existing objects that will be written; a pod has no version here, because only its identity is needed. */
  objects: { kind: string; namespace?: string; name: string; uid: string; resourceVersion?: string }[]
  /** Digest of the assessed state. */
  assessed: string
  /** How the plan is to be applied. */
  pace: {
    maxUnavailable: number | string
    restarts: 'auto' | 'always' | 'never'
    canarySeconds: number
    settleSeconds: number
    nodeDeadlineSeconds: number
  }
}

export type Strategy = 'staged' | 'canary' | 'direct'

export interface Change {
  action: 'create' | 'patch' | 'delete' | 'restart'
  apiVersion: string
  /** A restart names the Pod; a write names the FelixConfiguration. */
  kind: string
  namespace?: string
  name: string
  /** Merge patch; for `create` the object's metadata and spec. */
  patch?: object
}

export interface Forecast {
  felixRestarts: number
  felixRestartsAtOnce: number
  podRestarts: number
  seconds?: number
}

/** A fleet: unreachable clusters are rows, never missing. */
export interface Sweep {
  schemaVersion: 1
  sweptAt: string
  clusters: Report[]
}
