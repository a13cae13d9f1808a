import type { ClusterState, NodeState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import { present } from './fields.ts'

export const nodeFields = ({
  name,
  createdAt,
  ready,
  readySince,
  unschedulable,
  taints,
  podsMax,
  kubeletVersion,
  kernelVersion,
}: Omit<NodeState, 'labels' | 'calicoLabels'>) =>
  present<Omit<NodeState, 'labels' | 'calicoLabels'>>({
    name,
    createdAt,
    ready,
    readySince,
    unschedulable,
    taints,
    podsMax,
    kubeletVersion,
    kernelVersion,
  })

/** Labels with the kind, zone or group of a node, and those that a selector uses. */
const knownLabels: readonly string[] = [
  'kubernetes.io/os',
  'beta.kubernetes.io/os',
  'eks.amazonaws.com/compute-type',
  'eks.amazonaws.com/nodegroup',
  'topology.kubernetes.io/zone',
  'type',
  'liqo.io/type',
]
export function decidingLabels(state: ClusterState): (key: string) => boolean {
  const sets = valueOf(state.daemonSets) ?? []
  const named = new Set([
    ...knownLabels,
    ...sets.flatMap(({ nodeSelector = {}, affinity = [] }) => [
      ...Object.keys(nodeSelector),
      ...affinity.flatMap(({ labels }) => labels.map(({ key }) => key)),
    ]),
  ])
  const selectors = (valueOf(state.felix)?.objects ?? []).flatMap(({ spec }) =>
    typeof spec['nodeSelector'] === 'string' ? [spec['nodeSelector']] : [],
  )
  const asked = new Map<string, boolean>()
  return (key) => {
    const known = asked.get(key) ?? (named.has(key) || selectors.some((selector) => selector.includes(key)))
    asked.set(key, known)
    return known
  }
}
