import type { NodeFacts } from './facts.ts'
import { doubtfulGroups, type FelixView, felixViews } from './felix-view.ts'
import { leftLinks } from './left-link.ts'
import { felixFinder } from './node-felix.ts'
import { judged } from './node-judgement.ts'
import { rangeComparison } from './range-difference.ts'
import { calicoPlaces, starts } from './node-pods.ts'
import type { ClusterState, NodeState, PodState } from '../cluster.ts'
import type { PortRange } from '../ports.ts'
import { commonMode, type ProxyConfiguration } from '../proxy-mode/configured.ts'
import { type RunningMode, runningModes } from '../proxy-mode/running.ts'
import { valueOf } from '../read.ts'
import type { Mode } from '../report.ts'

const nothingSeen: FelixView = { missed: false, olderThanMode: false, evidence: [] }

interface About {
  /** The range that Felix should use; undefined if it is not known. */
  ranges: PortRange[] | undefined
  /** The service range is only assumed: a difference from it proves nothing. */
  assumed: boolean
  configurations: ProxyConfiguration[]
}

/** The facts of every node, sorted by name. */
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
  const compare = rangeComparison(about.ranges)
  return facts.map((it) => {
    if (it.outside !== undefined) return it
    const view = viewOf(onNode(it), it.values.BPFEnabled === true)
    return judged({ ...it, view }, compare(it.values.effectiveRange), about)
  })
}

/** The node's pods, kube-proxy's mode there, and Felix's configuration. */
function located(state: ClusterState, { configurations }: About): (node: NodeState) => NodeFacts {
  const modes = runningModes(state, configurations)
  const placeOn = calicoPlaces(state)
  const felixOn = felixFinder(state)
  const isSeen = valueOf(state.daemonSets) !== undefined && valueOf(state.pods) !== undefined
  const leftLink = leftLinks(state)
  const configuredMode = commonMode(configurations)
  return (node) => {
    const base: NodeFacts = { node, values: {}, sources: {}, view: nothingSeen, ipvs: 'no', rangeDiffers: false }
    const { pod, outside } = placeOn(node)
    const running = modes.get(node.name)
    const felix = felixOn(node, pod, running?.mode === 'nftables')
    const reached = pod && felix.felix ? { reached: { calicoPod: pod, felix: felix.felix } } : {}
    if (outside !== undefined) return { ...base, outside, ...reached }
    const inEbpf = felix.values?.BPFEnabled === true && running === undefined && isSeen
    const left = felix.values?.BPFEnabled === true ? leftLink(pod) : []
    if (inEbpf && left.length === 0) return { ...base, outside: 'eBPF mode without kube-proxy', ...reached }
    if (felix.values?.UseInternalDataplaneDriver === false || valueOf(state.installation)?.linuxDataplane === 'VPP') {
      return { ...base, outside: "another data plane than Felix's own", ...reached }
    }
    const configured = running?.configuration?.mode ?? (running || inEbpf ? undefined : configuredMode)
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
