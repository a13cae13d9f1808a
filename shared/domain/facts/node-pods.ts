import { calicoSets, hasNoCalico, joining, outsideByKind, outsideBySchedule } from './applicability.ts'
import type { ClusterState, NodeState, PodState } from '../cluster.ts'
import { selects } from '../placement.ts'
import { nodePods } from '../proxy-mode/samples.ts'
import { valueOf } from '../read.ts'

/** A node's calico-node pod, or why it should have none. */
export interface CalicoPlace {
  pod?: PodState
  /** Why the node is not applicable, according to its kind and scheduling. */
  outside?: string
}

export function calicoPlaces(state: ClusterState): (node: NodeState) => CalicoPlace {
  const calicoPods = nodePods(state, 'calico-node')
  const sets = calicoSets(state)
  const none = hasNoCalico(state)
  const isSeen = valueOf(state.daemonSets) && valueOf(state.pods)
  return (node) => {
    const pod = calicoPods.get(node.name)
    const schedule = isSeen ? outsideBySchedule({ node, sets, pod, pods: calicoPods.size }) : undefined
    const outside = outsideByKind(node) ?? (none ? 'no Calico in this cluster' : schedule)
    return { ...(pod && { pod }), ...(outside !== undefined && { outside }) }
  }
}

/** A pod that was just created, or a node that has just joined and has none yet. */
export function starts(state: ClusterState, node: NodeState, pods: (PodState | undefined)[]): { starting?: string } {
  const now = Date.parse(state.observedAt)
  const young = (time: string) => now - Date.parse(time) < joining
  const names = ['calico-node', 'kube-proxy']
  const at = pods.findIndex((pod) =>
    pod ? pod.startedAt === undefined && young(pod.createdAt) && !isFailing(pod) : young(node.createdAt),
  )
  const isMeant =
    at === 0 || (valueOf(state.daemonSets) ?? []).some((set) => set.role === 'kube-proxy' && selects(set, node))
  return at < 0 || !isMeant || !valueOf(state.pods) ? {} : { starting: `${names[at]} is starting on this node` }
}

const isFailing = ({ waiting, restartCount }: PodState): boolean =>
  restartCount > 0 || /BackOff|^Err|Error$/.test(waiting ?? '')
