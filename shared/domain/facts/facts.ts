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
import type { Parsed } from '../rollout/parse.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { CalicoVersion } from '../version.ts'

/** All facts about a cluster that the checks use, derived once. */
export interface ClusterFacts {
  state: ClusterState
  policy: Policy
  /** `observedAt` in milliseconds. */
  now: number
  /** How the cluster that EKS describes differs from this one. If it does, `state` does not contain EKS's answer. */
  otherThanEks: Difference[]
  gaps: Gaps
  /** The content of this tool's Lease. */
  lease: Parsed
  /** The rollout, if the Lease has a valid one. */
  rollout?: Rollout
  underWay: UnderWay[]
  serviceRange: ServiceRange
  /** Evidence against an assumed service range. If there is any, there is no desired range. */
  objections: Evidence[]
  desired?: PortRange[]
  /** Node ports in use outside the service range, where that is known. */
  strays: NodePortUse[]
  /** Absent: not known. */
  install?: 'operator' | 'manifest' | 'none'
  /** The oldest version that runs on a node. */
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

/**
 * A node that is not applicable (`outside`) has that reason and the facts needed for a write to `default`, and no
 * other fact.
 */
export interface NodeFacts {
  node: NodeState
  outside?: string
  /** calico-node runs here nevertheless (it tolerates every taint): its Felix restarts when the range changes. */
  reached?: { calicoPod: PodState; felix: FelixResolution }
  /** kube-proxy or calico-node is just starting here. */
  starting?: string
  running?: RunningMode
  /** The mode that kube-proxy on this node is configured to. */
  configuredMode?: Mode
  calicoPod?: PodState
  version?: CalicoVersion
  index?: FelixIndex
  felixNode?: FelixNode
  felix?: FelixResolution
  values: Partial<FelixValues & DerivedValues>
  sources: Partial<Record<FelixParameter, RangeSource>>
  view: FelixView
  /** Set if Felix is in eBPF mode and the link kube-ipvs0 exists: Felix's log lines about it. */
  leftLink?: Evidence[]
  /** `active`: kube-proxy runs in IPVS mode and Felix is not in eBPF mode · `configured`: kube-proxy is only configured to. */
  ipvs: 'active' | 'configured' | 'no'
  /** Absent: Felix uses the desired range here, or one of them is not known. */
  rangeDifference?: RangeDifference
  /** The difference matters: IPVS is active, and the desired range is not only assumed. */
  rangeDiffers: boolean
  /** The configuration layer that decides Felix's range; absent: the built-in default. */
  rangeLayer?: RangeLayer
  mark?: MarkFacts
}

export interface MarkFacts {
  mask?: number
  /** 0: Felix does not start. */
  capacity?: number
}
