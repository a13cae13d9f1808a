import type { DaemonSetState, NodeRequirement, NodeState, NodeTerm, Taint, Toleration } from './cluster.ts'

/** Whether a DaemonSet selects the node. */
export const selects = (set: DaemonSetState, node: NodeState): boolean => leftOutBy(set, node) === undefined

/**
 * Why a DaemonSet has no pod on a node, by the same three criteria as its controller. Undefined: it should have one.
 */
export function leftOutBy(set: DaemonSetState, node: NodeState): string | undefined {
  const selector = Object.entries(set.nodeSelector ?? {})
  if (!selector.every(([key, value]) => labelOf(node, key) === value)) return 'nodeSelector'
  if (set.affinity && !set.affinity.some((term) => holds(term, node))) return 'node affinity'
  const tolerations = [...(set.tolerations ?? []), ...always]
  const taint = (node.taints ?? []).find(
    (it) => repels(it) && !tolerations.some((toleration) => tolerates(toleration, it)),
  )
  return taint && `no toleration for the taint ${taint.key}`
}

/** Label names come from the cluster: one may be `constructor`. */
const labelOf = ({ labels }: NodeState, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

const holds = ({ labels, fields }: NodeTerm, node: NodeState): boolean =>
  labels.length + fields.length > 0 &&
  labels.every((it) => meets(it, labelOf(node, it.key))) &&
  fields.every((it) => it.key === 'metadata.name' && meets(it, node.name))

function meets({ operator, values }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}

const repels = ({ effect }: Taint): boolean => effect === 'NoSchedule' || effect === 'NoExecute'

/**
 * Tolerations that the DaemonSet controller adds to every pod (k/k pkg/controller/daemon/util,
 * AddOrUpdateDaemonPodTolerations); the last one only for pods with hostNetwork, such as kube-proxy and calico-node.
 */
const always: readonly Toleration[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
  ['network-unavailable', 'NoSchedule'],
].map(([condition = '', effect = '']) => ({ key: `node.kubernetes.io/${condition}`, operator: 'Exists', effect }))

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  return operator === 'Exists' || (key === taint.key && value === (taint.value ?? ''))
}
