import type { ClusterState, ModeEvidence, PodState } from '../cluster.ts'
import type { ProxyConfiguration } from './configured.ts'
import { configuredModes, isRolledOut } from './configured.ts'
import type { Group } from './samples.ts'
import { groupsOf, logOf, nodePods, podId, sampleSize } from './samples.ts'
import { failureOf } from '../read.ts'
import type { Evidence, Mode } from '../report.ts'

/** What kube-proxy does on one node, and why we believe it. */
export interface RunningMode {
  mode: Mode | 'unknown'
  confidence: 'proven' | 'likely' | 'none'
  pod: PodState
  configuration?: ProxyConfiguration
  evidence: Evidence[]
  /** Why it is unknown. */
  reason?: string
  /** Times of whole seconds cannot tell whether the pod or the change came first: taken as likely, but a log is worth reading. */
  close?: true
}

type Found = Omit<RunningMode, 'configuration' | 'pod'>

/** By node. Nodes without a kube-proxy pod are absent. */
export function runningModes(state: ClusterState): Map<string, RunningMode> {
  const configurations = new Map(configuredModes(state).map((it) => [it.daemonSet.uid, it]))
  const of = (pod: PodState) => configurations.get(pod.daemonSet ?? '')
  const pods = nodePods(state, 'kube-proxy')
  const groups = groupsOf(pods.values(), (pod) => of(pod)?.changes)
  const told = new Map<Group, Found>()
  const modes = new Map<string, RunningMode>()
  for (const [node, pod] of pods) {
    const configuration = of(pod)
    const likely = likelyMode(pod, configuration)
    const clear = provenMode(state, pod) ?? (likely?.close ? undefined : likely)
    const found = clear ?? fromGroup(state, { pod, group: groups.get(pod), configuration, likely }, told)
    modes.set(node, { ...found, pod, ...(configuration && { configuration }) })
  }
  return modes
}

interface Said {
  kind: 'log' | 'event' | 'proxyMode'
  mode: Mode
  line?: string | undefined
  at?: string | undefined
}

/** What the process itself said: `/proxyMode`, its log, or its Event. What is older than the process says nothing. */
function provenMode(state: ClusterState, pod: PodState): Found | undefined {
  const since = Date.parse(pod.startedAt ?? '')
  if (Number.isNaN(since)) return undefined
  const seen: Said[] = evidenceOn(state, pod.node).filter((it) => Date.parse(it.at ?? pod.startedAt ?? '') >= since)
  const said =
    seen.find((it) => it.kind === 'proxyMode') ?? logMode(state, pod) ?? seen.find((it) => it.at !== undefined)
  return said && { mode: said.mode, confidence: 'proven', evidence: [evidenceOf(said, pod)] }
}

/** A node may be called `constructor`: only what was put there counts. */
const evidenceOn = ({ modeEvidence = {} }: ClusterState, node: string): ModeEvidence[] =>
  Object.hasOwn(modeEvidence, node) ? (modeEvidence[node] ?? []) : []

function logMode(state: ClusterState, pod: PodState): Said | undefined {
  const log = pod.startedAt === undefined ? undefined : logOf(state, pod)
  return log?.mode ? { kind: 'log', mode: log.mode, line: log.line, at: log.at } : undefined
}

const fields = { log: 'log', event: 'Event IPVSDeprecation', proxyMode: '/proxyMode' } as const

const evidenceOf = (said: Said, pod: PodState): Evidence => ({
  object: said.kind === 'event' ? `Node/${pod.node}` : `Pod/${podId(pod)}`,
  field: fields[said.kind],
  value: said.line ?? said.mode,
  ...(said.at === undefined ? {} : { at: said.at }),
})

/** A process that started after the mode's last possible change has it. No proof: kube-proxy of 1.25 and older may have fallen back. */
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

// The kubelet brings a changed ConfigMap into the volume of a running pod only after its sync period and cache delay,
// so a container restarted in place soon after a change may have read the old file.
const volumeDelay = 120_000

/** Whether the pod started with the configuration as it stands now. */
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

/** A few logs of a group stand for all of it, where they agree. */
function fromGroup(
  state: ClusterState,
  { pod, group, configuration, likely }: Doubtful,
  told: Map<Group, Found>,
): Found {
  if (pod.startedAt === undefined || !group) return unknown(`kube-proxy has not started (${pod.waiting ?? 'pending'})`)
  const known = told.get(group) ?? sampled(state, group, configuration)
  told.set(group, known)
  return known.mode === 'unknown' && likely ? likely : known
}

function sampled(state: ClusterState, group: Group, configuration: ProxyConfiguration | undefined): Found {
  const said = group.pods.flatMap((pod) => {
    const log = logMode(state, pod)
    return log ? [{ mode: log.mode, evidence: evidenceOf(log, pod) }] : []
  })
  const [mode, ...others] = new Set(said.map((it) => it.mode))
  if (mode === undefined) return unknown(silence(state, group, configuration))
  const evidence = said.slice(0, sampleSize).map((it) => it.evidence)
  return others.length === 0 ? { mode, confidence: 'likely', evidence } : unknown(disagreement, evidence)
}

const disagreement = 'the logs of pods that started at the same time do not agree; read all of them with --deep'

const unknown = (reason: string, evidence: Evidence[] = []): Found => ({
  mode: 'unknown',
  confidence: 'none',
  evidence,
  reason,
})

function silence(state: ClusterState, group: Group, configuration: ProxyConfiguration | undefined): string {
  if (!configuration) return 'no kube-proxy DaemonSet is known to own the pod'
  if (configuration.problem) return `${configuration.evidence.object} ${configuration.problem}`
  const older = 'kube-proxy started before its mode could last have changed'
  const failures = group.pods.flatMap((it) => failureOf(state.logs[podId(it)]) ?? [])
  return failures[0] ? `${older}, and its log could not be read: ${failures[0].message}` : `${older}, and no log tells`
}
