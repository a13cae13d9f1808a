import type { NodeState, PodState } from '../cluster.ts'
import type { FelixResolution } from '../felix/values.ts'
import type { PortRange } from '../ports.ts'
import type { Mode, Report } from '../report.ts'
import type { CalicoVersion } from '../version.ts'

/**
 * What `assess` concludes from a `ClusterState`: the published report, and the same facts in the form that planning
 * needs (objects instead of strings). Pure data, derived from the state only.
 */
export interface Assessment {
  report: Report
  /** Absent if the stray ports could not be read, or if something contradicts the assumed service range. */
  desired?: PortRange[]
  nodes: NodeAssessment[]
}

export interface NodeAssessment {
  node: NodeState
  /** Linux, runs (or should run) calico-node with Felix, is not Fargate, Auto Mode or virtual. */
  applicable: boolean
  runningMode: Mode | 'unknown'
  /** Like `felix`, also set on nodes that are not applicable: a write to `default` applies to them. */
  calicoPod?: PodState
  kubeProxyPod?: PodState
  calicoVersion?: CalicoVersion
  felix?: FelixResolution
  /** IPVS is active here and the effective range is not the desired one. */
  rangeDiffers: boolean
  /** Felix runs in the wrong mode and cannot have noticed the change: its pod must be restarted. */
  missedMode: boolean
  /**
   * calico-node started before kube-proxy took its current mode, if that is known. Calico's documentation recommends
   * a restart then.
   */
  olderThanMode: boolean
  /** calico-node was not Ready when observed. */
  broken: boolean
}
