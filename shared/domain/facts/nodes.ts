import { joining, outsideByKind, outsideBySchedule, calicoSets, hasNoCalico } from './applicability.ts'
import type { MarkFacts, NodeFacts } from './facts.ts'
import type { FelixView } from './felix-view.ts'
import { doubtfulGroups, felixViews } from './felix-view.ts'
import { leftLinks } from './left-link.ts'
import { withoutVastRange } from './vast-range.ts'
import { calicoVersions } from './version.ts'
import type { ClusterState, NodeState, PodState } from '../cluster.ts'
import type { FelixIndex, FelixNode, FelixResolution, ResolvedEnv } from '../felix/felix.ts'
import { indexFelix, resolveEnv } from '../felix/felix.ts'
import { capacity } from '../mark.ts'
import { selects } from '../placement.ts'
import type { PortRange } from '../ports.ts'
import { sameRanges } from '../ports.ts'
import type { ProxyConfiguration } from '../proxy-mode/configured.ts'
import { commonMode } from '../proxy-mode/configured.ts'
import type { RunningMode } from '../proxy-mode/running.ts'
import { runningModes } from '../proxy-mode/running.ts'
import { nodePods } from '../proxy-mode/samples.ts'
import { valueOf } from '../read.ts'
import type { Mode } from '../report.ts'
import type { CalicoVersion } from '../version.ts'

const nothingSeen: FelixView = { missed: false, olderThanMode: false, evidence: [] }

interface About {
  desired: PortRange[] | undefined
  configurations: ProxyConfiguration[]
}

/** Every node with what is true on it, in the order of their names. */
export function nodeFacts(state: ClusterState, about: About): NodeFacts[] {
  const nodes = (valueOf(state.nodes) ?? []).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const facts = nodes.map(located(state, about))
  const inside = facts.filter((it) => it.outside === undefined)
  const onNode = (it: NodeFacts) => ({
    node: it.node,
    running: it.running,
    calicoPod: it.calicoPod,
    version: it.version,
  })
  const viewOf = felixViews(state, doubtfulGroups(inside.map(onNode)))
  return facts.map((it) =>
    it.outside === undefined ? judged({ ...it, view: viewOf(onNode(it), it.values.BPFEnabled === true) }, about) : it,
  )
}

/** Which pods are on the node, what kube-proxy does there, and what Felix is configured to. */
function located(state: ClusterState, about: About): (node: NodeState) => NodeFacts {
  const modes = runningModes(state)
  const calicoPods = nodePods(state, 'calico-node')
  const sets = calicoSets(state)
  const felixOn = felixFinder(state)
  const none = hasNoCalico(state)
  const leftLink = leftLinks(state)
  const told = commonMode(about.configurations)
  return (node) => {
    const base: NodeFacts = { node, values: {}, sources: {}, view: nothingSeen, ipvs: 'no', rangeDiffers: false }
    const pod = calicoPods.get(node.name)
    const known = valueOf(state.daemonSets) && valueOf(state.pods)
    const schedule = known ? outsideBySchedule({ node, sets, pod, pods: calicoPods.size }) : undefined
    const outside = outsideByKind(node) ?? (none ? 'no Calico in this cluster' : schedule)
    const running = modes.get(node.name)
    const felix = felixOn(node, pod, running?.mode === 'nftables')
    const reached = pod && felix.felix ? { reached: { calicoPod: pod, felix: felix.felix } } : {}
    if (outside !== undefined) return { ...base, outside, ...reached }
    const inEbpf = felix.values?.BPFEnabled === true && running === undefined && known !== undefined
    const left = felix.values?.BPFEnabled === true ? leftLink(pod) : []
    if (inEbpf && left.length === 0) return { ...base, outside: 'eBPF mode without kube-proxy', ...reached }
    if (felix.values?.UseInternalDataplaneDriver === false || valueOf(state.installation)?.linuxDataplane === 'VPP') {
      return { ...base, outside: "another data plane than Felix's own", ...reached }
    }
    const configured = running?.configuration?.mode ?? (running || inEbpf ? undefined : told)
    return {
      ...base,
      ...felix,
      ...(left.length > 0 && { leftLink: left }),
      ...present({ running, calicoPod: pod, configuredMode: configured }),
      ...starts(state, node, [pod, running?.pod]),
    }
  }
}

function present(it: {
  running: RunningMode | undefined
  calicoPod: PodState | undefined
  configuredMode: Mode | undefined
}) {
  return {
    ...(it.running && { running: it.running }),
    ...(it.calicoPod && { calicoPod: it.calicoPod }),
    ...(it.configuredMode && { configuredMode: it.configuredMode }),
  }
}

/** A pod that has just been made, or a node that has just joined and has none yet. */
function starts(state: ClusterState, node: NodeState, pods: (PodState | undefined)[]): { starting?: string } {
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

type Configured = Pick<NodeFacts, 'version' | 'index' | 'felixNode' | 'felix' | 'values' | 'sources'>

/** Whether Felix is in eBPF mode on a node. */
export function ebpfOn(state: ClusterState): (node: NodeState, pod: PodState | undefined) => boolean {
  const felixOn = felixFinder(state)
  return (node, pod) => felixOn(node, pod, false).values.BPFEnabled === true
}

/** What Felix uses on a node: one index per version of Calico, one environment per template. */
function felixFinder(
  state: ClusterState,
): (node: NodeState, pod: PodState | undefined, kubeProxyNftables: boolean) => Configured {
  const source = valueOf(state.felix)
  const versionOf = calicoVersions(state)
  const envOf = environments(state)
  const indexes = new Map<string, FelixIndex>()
  const bounded = new Map<FelixResolution, FelixResolution>()
  const about = { objects: source?.objects ?? [], api: source?.api ?? 'crd.projectcalico.org/v1' } as const
  // Of an unknown version that uses them nothing more is to be said than that it can.
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

/** As Calico sees them: its own beside those of Kubernetes, which count where both have one (resources/node.go of libcalico-go). */
const labelsOf = ({ labels, calicoLabels }: NodeState): Record<string, string> =>
  calicoLabels ? { ...calicoLabels, ...labels } : labels

/** Where pods or DaemonSets could not be read: any variable of Felix could be there. */
const unread: ResolvedEnv = { env: [], unknownEnv: ['FELIX_*'] }

/** The pod's own environment; where there is no pod yet, what the DaemonSet would give it. */
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

/** What follows from the facts of a node taken together. */
function judged(it: NodeFacts, { desired }: About): NodeFacts {
  const bpf = it.values.BPFEnabled === true
  const active = it.running?.mode === 'ipvs' && !bpf
  const ipvs = active ? 'active' : it.configuredMode === 'ipvs' || it.running?.mode === 'ipvs' ? 'configured' : 'no'
  const effective = it.values.effectiveRange
  const rangeDiffers = active && effective !== undefined && desired !== undefined && !sameRanges(effective, desired)
  return { ...it, ipvs, rangeDiffers, mark: markOf(it) }
}

function markOf({ felix, values, version }: NodeFacts): MarkFacts {
  if (felix?.outcome === 'error') return { capacity: 0 }
  const mask = values.effectiveMarkMask
  if (mask === undefined) return {}
  return { mask, capacity: capacity(mask, version, usesWireguard(values)) }
}

export const usesWireguard = (values: NodeFacts['values']): boolean =>
  values.WireguardEnabled === true || values.WireguardEnabledV6 === true
