import type { ClusterState, DaemonSetState, FelixObject, NodePortUse, NodeState, PodState } from '../cluster.ts'
import type { Difference } from '../identity.ts'
import type { FelixView } from './felix-view.ts'
import type { Gaps } from './gaps.ts'
import type { RangeDifference } from './range-difference.ts'
import type { UnderWay } from './changing.ts'
import type { FelixIndex } from '../felix/felix-index.ts'
import type { FelixNode } from '../felix/lookup.ts'
import type { FelixResolution, FelixValues, DerivedValues, FelixParameter, RangeLayer } from '../felix/values.ts'
import type { PortRange } from '../ports.ts'
import type { Policy } from '../policy/policy.ts'
import type { ProxyConfiguration } from '../proxy-mode/configured.ts'
import type { RunningMode } from '../proxy-mode/running.ts'
import type { Evidence, Mode, RangeSource, ServiceRange } from '../report.ts'
import type { CalicoVersion } from '../version.ts'

/** Everything the checks ask about a cluster, worked out once. */
export interface ClusterFacts {
  state: ClusterState
  policy: Policy
  /** `observedAt` in milliseconds. */
  now: number
  /** In what the cluster that EKS describes is not this one; what EKS said is then not in `state`. */
  otherThanEks: Difference[]
  gaps: Gaps
  /** A rollout has begun and not ended, halted ones among them. */
  rollingOut: boolean
  underWay: UnderWay[]
  serviceRange: ServiceRange
  /** What speaks against a service range that is only assumed; then there is no desired range. */
  objections: Evidence[]
  desired?: PortRange[]
  /** Node ports in use outside the service range, where that is known. */
  strays: NodePortUse[]
  /** Absent: not known. */
  install?: 'operator' | 'manifest' | 'none'
  /** That of the oldest node. */
  calico?: CalicoVersion
  calicoSets: DaemonSetState[]
  configurations: ProxyConfiguration[]
  configuredMode?: Mode
  kubernetesMinor?: number
  vpcCni: boolean
  /** By name. */
  felixObjects: ReadonlyMap<string, FelixObject>
  nodes: NodeFacts[]
}

/** A node outside the question has a reason, what a write to `default` would reach there, and nothing else. */
export interface NodeFacts {
  node: NodeState
  outside?: string
  /** calico-node runs here all the same (it tolerates everything): its Felix restarts when the range changes. */
  reached?: { calicoPod: PodState; felix: FelixResolution }
  /** kube-proxy or calico-node is just starting here. */
  starting?: string
  running?: RunningMode
  /** What kube-proxy on this node is told. */
  configuredMode?: Mode
  calicoPod?: PodState
  version?: CalicoVersion
  index?: FelixIndex
  felixNode?: FelixNode
  felix?: FelixResolution
  values: Partial<FelixValues & DerivedValues>
  sources: Partial<Record<FelixParameter, RangeSource>>
  view: FelixView
  /** eBPF mode, and the link kube-ipvs0 is there all the same: what Felix says of it. */
  leftLink?: Evidence[]
  /** `active`: kube-proxy runs in it and Felix is not in eBPF mode · `configured`: only told to. */
  ipvs: 'active' | 'configured' | 'no'
  /** Absent: Felix uses the desired range here, or one of them is not known. */
  rangeDifference?: RangeDifference
  /** It differs where it counts: under IPVS, from a range that is not only assumed. */
  rangeDiffers: boolean
  /** The layer that Felix goes by for the range; absent: the built-in default. */
  rangeLayer?: RangeLayer
  mark?: MarkFacts
}

export interface MarkFacts {
  mask?: number
  /** 0: Felix would not start. */
  capacity?: number
}
