import { kubernetesMinor } from './kubernetes-minor.ts'
import type { ClusterState, ModeEvidence, PodState } from '../cluster.ts'
import type { ProxyConfiguration } from './configured.ts'
import { configuredModes, isMode, isRolledOut } from './configured.ts'
import type { Group } from './samples.ts'
import { groupsOf, logOf, nodePods, podId, sampleSize } from './samples.ts'
import { failureOf } from '../read.ts'
import type { Evidence, Mode } from '../report.ts'

/** kube-proxy's mode on one node, with the evidence. */
export interface RunningMode {
  mode: Mode | 'unknown'
  confidence: 'proven' | 'likely' | 'none'
  pod: PodState
  configuration?: ProxyConfiguration
  evidence: Evidence[]
  /** Why it is unknown. */
  reason?: string
  /** Kernel modules for ipvs that were missing, according to kube-proxy's log. */
  missing?: string[]
  /**
   * Timestamps in whole seconds do not show whether the pod or the change came first: then the mode is likely, but
   * the log should be read.
   */
  close?: true
}

type Found = Omit<RunningMode, 'configuration' | 'pod'>

/** By node. Nodes without a kube-proxy pod are absent. `configurations`: those of this state, if already known. */
export function runningModes(
  state: ClusterState,
  configurations: readonly ProxyConfiguration[] = configuredModes(state),
): Map<string, RunningMode> {
  const byDaemonSet = new Map(configurations.map((it) => [it.daemonSet.uid, it]))
  const of = (pod: PodState) => byDaemonSet.get(pod.daemonSet ?? '')
  const pods = nodePods(state, 'kube-proxy')
  const groups = groupsOf(pods.values(), (pod) => of(pod)?.changes)
  const known = new Map<Group, Found>()
  const modes = new Map<string, RunningMode>()
  for (const [node, pod] of pods) {
    const configuration = of(pod)
    const expected = pod.flags ? byFlags(pod) : likelyMode(pod, configuration)
    const likely = expected && mayFallBack(state, pod, expected.mode) ? undefined : expected
    const clear = provenMode(state, pod) ?? (likely?.close ? undefined : likely)
    const said = clear ?? fromGroup(state, { pod, group: groups.get(pod), configuration, likely }, known)
    const found = said.mode === 'unknown' ? (byEvent(state, pod) ?? said) : said
    modes.set(node, { ...found, pod, ...(configuration && { configuration }) })
  }
  return modes
}

interface Said {
  kind: 'log' | 'event' | 'proxyMode'
  mode: Mode
  line?: string | undefined
  at?: string | undefined
  missing?: string[] | undefined
}

/** Evidence from the process itself: `/proxyMode` or its log. Older evidence is not used. */
function provenMode(state: ClusterState, pod: PodState): Found | undefined {
  if (Number.isNaN(Date.parse(pod.startedAt ?? ''))) return undefined
  const said = saidOn(state, pod).find((it) => it.kind === 'proxyMode') ?? logMode(state, pod)
  return (
    said && { mode: said.mode, confidence: 'proven', evidence: [evidenceOf(said, pod)], ...missingIn(said.missing) }
  )
}

/** The node's Event, used only if there is no other evidence: anybody who may write Events can write it too. */
function byEvent(state: ClusterState, pod: PodState): Found | undefined {
  const said = saidOn(state, pod).find((it) => it.kind === 'event' && it.at !== undefined)
  return said && { mode: said.mode, confidence: 'likely', evidence: [evidenceOf(said, pod)] }
}

const saidOn = (state: ClusterState, { node, startedAt = '' }: PodState): Said[] =>
  evidenceOn(state, node).filter(({ at }) => Date.parse(at ?? startedAt) >= Date.parse(startedAt))

const missingIn = (missing: string[] | undefined): { missing?: string[] } => (missing ? { missing } : {})

/** A node may be named `constructor`, so only own properties are used. */
const evidenceOn = ({ modeEvidence = {} }: ClusterState, node: string): ModeEvidence[] =>
  Object.hasOwn(modeEvidence, node) ? (modeEvidence[node] ?? []) : []

function logMode(state: ClusterState, pod: PodState): Said | undefined {
  const log = pod.startedAt === undefined ? undefined : logOf(state, pod)
  return log?.mode ? { kind: 'log', mode: log.mode, line: log.line, at: log.at, missing: log.missing } : undefined
}

const fields = { log: 'log', event: 'Event IPVSDeprecation', proxyMode: '/proxyMode' } as const

const evidenceOf = (said: Said, pod: PodState): Evidence => ({
  object: said.kind === 'event' ? `Node/${pod.node}` : `Pod/${podId(pod)}`,
  field: fields[said.kind],
  value: said.line ?? said.mode,
  ...(said.at === undefined ? {} : { at: said.at }),
})

/**
 * Up to 1.25 kube-proxy falls back to iptables if kernel modules for ipvs are missing (kubernetes/kubernetes#111806),
 * and only its log shows that. An image without a version may have the server's version or be up to three minor
 * versions older.
 */
function mayFallBack(state: ClusterState, { image }: PodState, mode: Found['mode']): boolean {
  if (mode !== 'ipvs') return false
  const own = /:v?1\.(\d{1,3})\./.exec(image)?.[1]
  const minor = own === undefined ? (kubernetesMinor(state) ?? 0) - 3 : Number(own)
  return minor <= 25
}

/** A static pod's flags are those of its process; a file on the node is not read. */
function byFlags(pod: PodState): Found | undefined {
  const value = (name: string) => pod.flags?.findLast((it) => it.startsWith(`--${name}=`))?.slice(name.length + 3)
  const mode = value('proxy-mode') || 'iptables'
  if (value('config') !== undefined || pod.startedAt === undefined || !isMode(mode)) return undefined
  const field = 'spec.containers[].command --proxy-mode'
  return { mode, confidence: 'likely', evidence: [{ object: `Pod/${podId(pod)}`, field, value: mode }] }
}

/** A process that started after the mode's last possible change has it. */
function likelyMode(pod: PodState, configuration: ProxyConfiguration | undefined): Found | undefined {
  if (!configuration?.mode || pod.startedAt === undefined) return undefined
  const took = tookPresentMode(pod, configuration)
  if (took === 'no') return undefined
  const last = configuration.changes?.at(-1)
  const started = 'status.containerStatuses[].state.running.startedAt'
  return {
    mode: configuration.mode,
    confidence: 'likely',
    ...(took === 'close' && { close: true }),
    evidence: [
      { ...configuration.evidence, ...(last === undefined ? {} : { at: last }) },
      { object: `Pod/${podId(pod)}`, field: started, at: pod.startedAt },
    ],
  }
}

// The kubelet updates a changed ConfigMap in the volume of a running pod only after its sync period and cache delay, so
// a container restarted in place soon after a change may have read the old file.
const volumeDelay = 120_000

/** Whether the pod started with the current configuration. */
export function tookPresentMode(pod: PodState, configuration: ProxyConfiguration): 'yes' | 'no' | 'close' {
  const { daemonSet, takenBy, changes, initial, templateAt } = configuration
  const [made, started] = [Date.parse(pod.createdAt), Date.parse(pod.startedAt ?? '')]
  if (!isRolledOut(daemonSet) && made <= Date.parse(templateAt)) return 'no'
  if (takenBy === 'flag') return 'yes'
  const last = Date.parse(changes?.at(-1) ?? '')
  if (Number.isNaN(last) || Number.isNaN(started)) return 'no'
  // No pod can have started without the ConfigMap's very first contents.
  if (started === last && made === last) return initial ? 'yes' : 'close'
  return started > last && (made >= last || started > last + volumeDelay) ? 'yes' : 'no'
}

interface Doubtful {
  pod: PodState
  group: Group | undefined
  configuration: ProxyConfiguration | undefined
  likely: Found | undefined
}

/** Its own log is used if it was read; else a sample of logs of the group, if they agree. */
function fromGroup(
  state: ClusterState,
  { pod, group, configuration, likely }: Doubtful,
  sampledModes: Map<Group, Found>,
): Found {
  if (pod.startedAt === undefined || !group) return notRunning(state, pod)
  if (logOf(state, pod)) return likely ?? unknown(silence(state, [pod], configuration))
  const known = sampledModes.get(group) ?? sampled(state, group, configuration)
  sampledModes.set(group, known)
  return known.mode === 'unknown' && likely ? likely : known
}

/** The last error of the previous process, if known. */
function notRunning(state: ClusterState, pod: PodState): Found {
  const { ended, at, missing } = logOf(state, pod) ?? {}
  const why = pod.waiting ?? 'pending'
  const its = pod.restartCount > 0 ? 'does not run' : 'has not started'
  const evidence: Evidence[] = ended
    ? [{ object: `Pod/${podId(pod)}`, field: 'log --previous', value: ended, ...(at === undefined ? {} : { at }) }]
    : []
  const modules = missing ? `; kernel modules are missing on the node: ${missing.join(', ')}` : ''
  return { ...unknown(`kube-proxy ${its} (${why})${modules}`, evidence), ...missingIn(missing) }
}

function sampled(state: ClusterState, group: Group, configuration: ProxyConfiguration | undefined): Found {
  const said = group.pods.flatMap((pod) => {
    const log = logMode(state, pod)
    return log ? [{ mode: log.mode, evidence: evidenceOf(log, pod), missing: log.missing }] : []
  })
  const [mode, ...others] = new Set(said.map((it) => it.mode))
  if (mode === undefined) return unknown(silence(state, group.pods, configuration))
  const evidence = said.slice(0, sampleSize).map((it) => it.evidence)
  if (others.length > 0) return unknown(disagreement, evidence)
  return { mode, confidence: 'likely', evidence, ...missingIn(said.find(({ missing }) => missing)?.missing) }
}

const disagreement = 'the logs of pods that started at the same time do not agree; read all of them with --deep'

const unknown = (reason: string, evidence: Evidence[] = []): Found => ({
  mode: 'unknown',
  confidence: 'none',
  evidence,
  reason,
})

function silence(
  state: ClusterState,
  pods: readonly PodState[],
  configuration: ProxyConfiguration | undefined,
): string {
  if (!configuration) return 'no kube-proxy DaemonSet is known to own the pod, and no log shows the mode'
  if (configuration.problem) return `${configuration.evidence.object} ${configuration.problem}`
  const [pod] = pods
  const doubt =
    pod && mayFallBack(state, pod, configuration.mode ?? 'unknown') && likelyMode(pod, configuration)
      ? 'kube-proxy up to 1.25 falls back to iptables if kernel modules for ipvs are missing'
      : 'kube-proxy started before its mode could last have changed'
  const failures = pods.flatMap((it) => failureOf(state.logs[podId(it)]) ?? [])
  return failures[0]
    ? `${doubt}, and its log could not be read: ${failures[0].message}`
    : `${doubt}, and no log shows the mode`
}
