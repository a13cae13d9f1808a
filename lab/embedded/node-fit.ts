import type { DaemonSet, Node, NodeRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration } from './workloads.ts'

/**
 * What the DaemonSet controller adds to every pod it makes: its nodes need not be well for it
 * (`AddOrUpdateDaemonPodTolerations`).
 */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const added = [
    ['not-ready', 'NoExecute'],
    ['unreachable', 'NoExecute'],
    ['disk-pressure', 'NoSchedule'],
    ['memory-pressure', 'NoSchedule'],
    ['pid-pressure', 'NoSchedule'],
    ['unschedulable', 'NoSchedule'],
    ...(hostNetwork === true ? [['network-unavailable', 'NoSchedule']] : []),
  ]
  const own = added.map(([condition = '', effect = '']) => ({
    effect,
    key: `node.kubernetes.io/${condition}`,
    operator: 'Exists',
  }))
  return [...tolerations, ...own]
}

/** Whether the DaemonSet wants a pod on the node. */
export function wants({ spec: { template } }: DaemonSet, node: Node): boolean {
  const { spec } = template
  const labels = node.metadata.labels ?? {}
  if (!Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  if (terms !== undefined && !terms.some((term) => fitsTerm(term, node, labels))) return false
  const tolerations = daemonTolerations(spec)
  const repelling = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoSchedule' || effect === 'NoExecute')
  return repelling.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)))
}

function fitsTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  node: Node,
  labels: Record<string, string>,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((requirement) => fits(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) => fits(requirement, node.metadata.name))
  )
}

function fits({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
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

function tolerates({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false
  if (key !== undefined && key !== '' && key !== taint.key) return false
  return operator === 'Exists' || value === (taint.value ?? '')
}
