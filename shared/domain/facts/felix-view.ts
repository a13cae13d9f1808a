import type { ClusterState, LogEvidence, NodeState, PodState } from '../cluster.ts'
import type { RunningMode } from '../proxy-mode/running.ts'
import type { Group } from '../proxy-mode/samples.ts'
import { groupsOf, logOf, podId } from '../proxy-mode/samples.ts'
import type { Evidence } from '../report.ts'
import type { CalicoVersion } from '../version.ts'
import { atLeast } from '../version.ts'

/** The times of a node that show which mode its Felix can have noticed. */
export interface FelixOnNode {
  node: NodeState
  running: RunningMode | undefined
  calicoPod: PodState | undefined
  version: CalicoVersion | undefined
}

/** Whether Felix on one node is in IPVS mode. */
export interface FelixView {
  /** Absent: not known. */
  ipvs?: boolean
  /** Felix is in another mode than kube-proxy, and only a restart of its pod corrects that. */
  missed: boolean
  /** The pod started before the current mode was configured. */
  olderThanMode: boolean
  /** Set if the verdict needs Felix's mode and it is not known: the reason. */
  doubt?: string
  evidence: Evidence[]
}

const at = (time: string | undefined): number => Date.parse(time ?? '')
const minutes = (count: number): number => count * 60_000

/**
 * The last change that the running kube-proxy applied while the node existed: before it the node may have had another
 * mode.
 */
export function changeOnNode({ node, running }: Pick<FelixOnNode, 'node' | 'running'>): string | undefined {
  if (running?.pod.flags) return staticChange(node, running.pod)
  const changes = running?.configuration?.modeChanges ?? []
  if (changes.length === 0) return undefined
  const started = at(running?.pod.startedAt)
  const last = changes.findLast((it) => it.at <= started)
  return last !== undefined && at(node.createdAt) < last.at ? last.text : undefined
}

/** A static pod that was created again while the node existed may have had another mode before. */
const staticChange = (node: NodeState, { createdAt }: PodState): string | undefined =>
  at(createdAt) > at(node.createdAt) + minutes(10) ? createdAt : undefined

/** From 3.23 Felix restarts itself when the link `kube-ipvs0` appears or disappears (projectcalico/calico#5776). */
export const followsTheLink = (version: CalicoVersion | undefined): boolean | undefined =>
  version && atLeast(version, '3.23')

/**
 * Whether only Felix's own log shows its mode. kube-proxy does not remove `kube-ipvs0` when it changes from ipvs to
 * iptables, and Felix checks only that link; up to 3.22 only when it starts.
 */
export function felixInDoubt(it: FelixOnNode): boolean {
  const { running, calicoPod, version } = it
  if (!running || calicoPod?.startedAt === undefined || changeOnNode(it) === undefined) return false
  const follows = followsTheLink(version) === true
  if (running.mode === 'ipvs') return !follows && at(calicoPod.startedAt) < at(running.pod.startedAt)
  return running.mode === 'nftables' ? !follows : true
}

/** calico-node pods whose mode is not known, grouped so that a sample of logs counts for the whole group. */
export function doubtfulGroups(nodes: readonly FelixOnNode[]): Map<PodState, Group> {
  const changes = new Map<PodState, readonly string[] | undefined>()
  for (const it of nodes) {
    if (it.calicoPod && felixInDoubt(it)) changes.set(it.calicoPod, it.running?.configuration?.changes)
  }
  return groupsOf(changes.keys(), (pod) => changes.get(pod))
}

/**
 * A pod's own log counts if it was read, even without evidence; otherwise the logs of a sample of its group, if they
 * agree.
 */
export function felixViews(
  state: ClusterState,
  groups: Map<PodState, Group>,
): (it: FelixOnNode, bpf: boolean) => FelixView {
  const samples = new Map<Group, Said>()
  return (it, bpf) => {
    const olderThanMode = isOlderThanMode(it)
    if (bpf) return { ipvs: false, missed: false, olderThanMode, evidence: [] }
    const group = it.calicoPod && groups.get(it.calicoPod)
    const ofGroup = group && (samples.get(group) ?? whatTheySay(state, group.pods))
    if (group && ofGroup) samples.set(group, ofGroup)
    const own = it.calicoPod ? whatTheySay(state, [it.calicoPod]) : silent
    return { olderThanMode, ...view(it, own.read ? own : (ofGroup ?? own)) }
  }
}

interface Said {
  ipvs?: boolean
  at?: string | undefined
  /** At least one log was read. */
  read: boolean
  conflict: boolean
  evidence: Evidence[]
}

const silent: Said = { read: false, conflict: false, evidence: [] }

function whatTheySay(state: ClusterState, pods: readonly PodState[]): Said {
  const logs = pods.flatMap((pod) => (logOf(state, pod) ? [{ pod, log: logOf(state, pod) as LogEvidence }] : []))
  const decisive = logs.filter(({ log }) => log.felixIpvs !== undefined)
  const [ipvs, ...others] = new Set(decisive.map(({ log }) => log.felixIpvs))
  const evidence = decisive.slice(0, 5).map(({ pod, log }) => logEvidence(pod, log))
  const said = { read: logs.length > 0, conflict: others.length > 0, evidence }
  return ipvs === undefined || others.length > 0 ? said : { ...said, ipvs, at: decisive[0]?.log.at }
}

const logEvidence = (pod: PodState, log: LogEvidence): Evidence => ({
  object: `Pod/${podId(pod)}`,
  field: 'log',
  value: log.line ?? `felix ipvs ${log.felixIpvs}`,
  ...(log.at === undefined ? {} : { at: log.at }),
})

const isOlderThanMode = (it: FelixOnNode): boolean => {
  const change = changeOnNode(it)
  return change !== undefined && at(it.calicoPod?.startedAt) < at(change)
}

type UndatedView = Omit<FelixView, 'olderThanMode'>

function view(it: FelixOnNode, said: Said): UndatedView {
  if (it.calicoPod?.startedAt === undefined || !it.running) return { missed: false, evidence: [] }
  switch (it.running.mode) {
    case 'ipvs':
      return underIpvs(it, said)
    case 'iptables':
      return underIptables(it, said)
    case 'nftables':
      return underNftables(it, said)
    case 'unknown':
      return { ...(said.ipvs === undefined ? {} : { ipvs: said.ipvs }), missed: false, evidence: said.evidence }
  }
}

/** A line from before the start of the running kube-proxy is no evidence for a Felix that follows the link. */
const outdated = (it: FelixOnNode, said: Said): boolean =>
  followsTheLink(it.version) === true && !(at(said.at) >= at(it.running?.pod.startedAt))

function underIpvs(it: FelixOnNode, said: Said): UndatedView {
  const follows = followsTheLink(it.version)
  if (said.ipvs !== undefined && !outdated(it, said)) {
    return { ipvs: said.ipvs, missed: !said.ipvs && follows !== true, evidence: said.evidence }
  }
  const times = timesOf(it)
  if (follows === true || !isOlderThanMode(it)) return { ipvs: true, missed: false, evidence: times }
  const which =
    follows === false
      ? 'up to Calico 3.22 Felix checks for IPVS only'
      : 'and its version is not known: it may check for IPVS only'
  const doubt = `kube-proxy's configuration was written after calico-node started, possibly without a change of the mode; ${which} when it starts, and ${silence(said)}`
  return { missed: false, doubt, evidence: times }
}

const silence = ({ read, conflict }: Said): string => {
  if (conflict) return 'the logs that were read do not agree'
  return read ? 'its log does not show its own start at level Info' : 'its log could not be read'
}

function timesOf(it: FelixOnNode): Evidence[] {
  const change = changeOnNode(it)
  const { calicoPod, running } = it
  if (change === undefined || calicoPod?.startedAt === undefined) return []
  const started = 'status.containerStatuses[].state.running.startedAt'
  return [
    ...(running?.configuration ? [{ ...running.configuration.evidence, at: change }] : []),
    { object: `Pod/${podId(calicoPod)}`, field: started, at: calicoPod.startedAt },
  ]
}

function underIptables(it: FelixOnNode, said: Said): UndatedView {
  if (said.ipvs !== undefined) return { ipvs: said.ipvs, missed: false, evidence: said.evidence }
  if (!felixInDoubt(it)) return { ipvs: false, missed: false, evidence: [] }
  const doubt = `the node is older than the last write of kube-proxy's configuration: if that changed ipvs to iptables, kube-ipvs0 remains there and Felix is still in IPVS mode; ${silence(said)}`
  return { missed: false, doubt, evidence: timesOf(it) }
}

/**
 * kube-proxy removes the link when it changes to nftables; only a Felix that does not follow the link can still be in
 * IPVS mode.
 */
function underNftables(it: FelixOnNode, said: Said): UndatedView {
  const follows = followsTheLink(it.version)
  if (said.ipvs !== undefined && !outdated(it, said)) {
    return { ipvs: said.ipvs, missed: said.ipvs && follows !== true, evidence: said.evidence }
  }
  return follows === true || !felixInDoubt(it)
    ? { ipvs: false, missed: false, evidence: [] }
    : { missed: false, evidence: [] }
}
