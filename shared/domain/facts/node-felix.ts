import { calicoSets } from './applicability.ts'
import type { NodeFacts } from './facts.ts'
import { withoutVastRange } from './vast-range.ts'
import { calicoVersions } from './version.ts'
import type { ClusterState, NodeState, PodState } from '../cluster.ts'
import { type ResolvedEnv, resolveEnv } from '../felix/env.ts'
import { type FelixIndex, indexFelix } from '../felix/felix-index.ts'
import type { FelixNode } from '../felix/lookup.ts'
import type { FelixResolution } from '../felix/values.ts'
import { valueOf } from '../read.ts'
import type { CalicoVersion } from '../version.ts'

type Configured = Pick<NodeFacts, 'version' | 'index' | 'felixNode' | 'felix' | 'values' | 'sources'>

/** Whether Felix is in eBPF mode on a node. */
export function ebpfOn(state: ClusterState): (node: NodeState, pod: PodState | undefined) => boolean {
  const felixOn = felixFinder(state)
  return (node, pod) => felixOn(node, pod, false).values.BPFEnabled === true
}

/** What Felix uses on a node: one index per version of Calico, one environment per template. */
export function felixFinder(
  state: ClusterState,
): (node: NodeState, pod: PodState | undefined, kubeProxyNftables: boolean) => Configured {
  const source = valueOf(state.felix)
  const versionOf = calicoVersions(state)
  const envOf = environments(state)
  const indexes = new Map<string, FelixIndex>()
  const bounded = new Map<FelixResolution, FelixResolution>()
  const about = { objects: source?.objects ?? [], api: source?.api ?? 'crd.projectcalico.org/v1' } as const
  const nativeV3 = source?.nativeV3 === true
  const indexFor = (calico: CalicoVersion | undefined): FelixIndex | undefined => {
    if (!source) return undefined
    const key = calico?.text ?? ''
    const index = indexes.get(key) ?? indexFelix({ ...about, ...(calico && { calico, nativeV3 }) })
    indexes.set(key, index)
    return index
  }
  return (node, pod, kubeProxyNftables) => {
    const version = versionOf(pod)
    const index = indexFor(version)
    if (!index) return { ...(version && { version }), values: {}, sources: {} }
    const felixNode: FelixNode = { nodeName: node.name, nodeLabels: labelsOf(node), kubeProxyNftables, ...envOf(pod) }
    const resolved = index.resolve(felixNode)
    const felix = bounded.get(resolved) ?? withoutVastRange(resolved, index, felixNode)
    bounded.set(resolved, felix)
    const { values, sources } = felix.outcome === 'error' ? { values: {}, sources: {} } : felix
    return { ...(version && { version }), index, felixNode, felix, values, sources }
  }
}

/**
 * A node's labels as Calico sees them: Calico's own and those of Kubernetes, which take precedence (resources/node.go
 * of libcalico-go).
 */
const labelsOf = ({ labels, calicoLabels }: NodeState): Record<string, string> =>
  calicoLabels ? { ...calicoLabels, ...labels } : labels

/** If pods or DaemonSets could not be read: any variable of Felix could be set. */
const unread: ResolvedEnv = { env: [], unknownEnv: ['FELIX_*'] }

/** The pod's own environment; if there is no pod yet, that of the DaemonSet's template. */
function environments(state: ClusterState): (pod: PodState | undefined) => ResolvedEnv {
  const known = new Map<string, ResolvedEnv>()
  const resolve = (from: Pick<PodState, 'env' | 'envFrom' | 'namespace'>) => resolveEnv(from, state.configMaps)
  const [set] = calicoSets(state)
  const isRead = 'value' in state.pods && 'value' in state.daemonSets
  const template = () => (set && isRead ? resolve({ ...set.template, namespace: set.namespace }) : unread)
  return (pod) => {
    const key = pod ? `${pod.daemonSet} ${pod.revision}` : ''
    if (pod && (pod.daemonSet === undefined || pod.revision === undefined)) return resolve(pod)
    const found = known.get(key) ?? (pod ? resolve(pod) : template())
    known.set(key, found)
    return found
  }
}
