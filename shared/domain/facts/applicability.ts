import type { ClusterState, DaemonSetState, NodeState, PodState } from '../cluster.ts'
import { leftOutBy } from '../placement.ts'
import type { Read } from '../read.ts'
import { valueOf } from '../read.ts'

/** Why a node is not applicable, according to its Node object; undefined: it is applicable. */
export function outsideByKind({ labels }: NodeState): string | undefined {
  const compute = labels['eks.amazonaws.com/compute-type']
  if ((labels['kubernetes.io/os'] ?? labels['beta.kubernetes.io/os']) === 'windows') return 'Windows node'
  if (compute === 'fargate') return 'Fargate node'
  if (compute === 'auto') return 'EKS Auto Mode node: no kube-proxy, no Calico'
  if (labels['type'] === 'virtual-kubelet' || labels['liqo.io/type'] === 'virtual-node') return 'virtual node'
  return undefined
}

/** DaemonSets that run Felix on Linux. */
export const calicoSets = (state: ClusterState): DaemonSetState[] =>
  (valueOf(state.daemonSets) ?? []).filter((it) => it.role === 'calico-node')

/** Calico is not installed. False where that could not be read. */
export const hasNoCalico = (state: ClusterState): boolean => isEmpty(state.daemonSets) && isEmpty(state.pods)

/** Calico, which a rollout found, is not there any more. Nothing is concluded from a list without any DaemonSet. */
export const wasRemoved = (state: ClusterState): boolean =>
  hasNoCalico(state) && valueOf(state.daemonSets)?.length !== 0

const isEmpty = (it: Read<readonly { role: DaemonSetState['role'] }[]>): boolean =>
  valueOf(it)?.some(({ role }) => role === 'calico-node') === false

/** Time in which the DaemonSet controller and the kubelet start a pod on a new node. */
export const joining = 10 * 60_000

export interface Scheduling {
  node: NodeState
  sets: readonly DaemonSetState[]
  pod: PodState | undefined
  /** Existing pods of these DaemonSets. */
  pods: number
}

/** Its controller has not looked at it since it was made or changed: its status is that of before, or empty. */
export const isUnseen = ({ generation, status }: DaemonSetState): boolean => status.observedGeneration < generation

/** Why none of the DaemonSets has a pod for the node; undefined: one has, or there are no DaemonSets. */
export function leftOutByAll(sets: readonly DaemonSetState[], node: NodeState): string | undefined {
  const reasons = sets.map((set) => leftOutBy(set, node))
  return reasons.includes(undefined) ? undefined : reasons[0]
}

/** Why a Linux node should have no calico-node pod; undefined: it has one, or should have one. */
export function outsideBySchedule({ node, sets, pod, pods }: Scheduling): string | undefined {
  if (pod) return undefined
  const leftOut = leftOutByAll(sets, node)
  if (leftOut !== undefined) return `the DaemonSet calico-node excludes this node: ${leftOut}`
  if (sets.some(isUnseen)) return undefined
  const wanted = sets.reduce((sum, { status }) => sum + status.desired, 0)
  return pods >= wanted ? 'calico-node is not scheduled on this node' : undefined
}
