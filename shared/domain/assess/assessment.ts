import type { NodeState, PodState } from '../cluster.ts'
import type { FelixResolution } from '../felix/values.ts'
import type { PortRange } from '../ports.ts'
import type { Mode, Report } from '../report.ts'
import type { CalicoVersion } from '../version.ts'

/**
 * What `assess` concludes from a `ClusterState`: the published report, and beside it the same facts in the form that
 * planning needs (objects instead of strings). Pure data; nothing in it was not in the state.
 */
export interface Assessment {
  report: Report
  /** Absent where the stray ports could not be read, or the service range is assumed and something speaks against it. */
  desired?: PortRange[]
  nodes: NodeAssessment[]
}

export interface NodeAssessment {
  node: NodeState
  /** Linux, runs (or should run) calico-node with Felix, is not Fargate, Auto Mode or virtual. */
  applicable: boolean
  runningMode: Mode | 'unknown'
  /** On nodes that are not applicable as well, as `felix` is: a write to `default` reaches them. */
  calicoPod?: PodState
  kubeProxyPod?: PodState
  calicoVersion?: CalicoVersion
  felix?: FelixResolution
  /** IPVS is active here and the effective range is not the desired one. */
  rangeDiffers: boolean
  /** Felix runs in the wrong mode and cannot have noticed by itself: its pod must be restarted. */
  missedMode: boolean
  /** calico-node started before kube-proxy took its present mode, where that is known: what Calico's documentation restarts. */
  olderThanMode: boolean
  /** calico-node was not Ready when observed. */
  broken: boolean
}
