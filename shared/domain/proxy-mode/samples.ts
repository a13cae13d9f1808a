import type { ClusterState, DaemonSetState, LogEvidence, PodState } from '../cluster.ts'
import { valueOf } from '../read.ts'

export const podId = ({ namespace, name }: Pick<PodState, 'namespace' | 'name'>): string => `${namespace}/${name}`

/** Evidence from the pod's log, if it was read. */
export const logOf = (state: ClusterState, pod: PodState): LogEvidence | undefined => valueOf(state.logs[podId(pod)])

/**
 * The relevant pod of each node: a pod that the DaemonSet owns, because anybody who creates pods can set its label;
 * one that is not terminating; and of several the newest.
 */
export function nodePods(state: ClusterState, role: DaemonSetState['role']): Map<string, PodState> {
  const byNode = new Map<string, PodState>()
  for (const pod of valueOf(state.pods) ?? []) {
    if (pod.role !== role) continue
    const other = byNode.get(pod.node)
    if (!other || counts(pod) > counts(other)) byNode.set(pod.node, pod)
  }
  return byNode
}

const counts = ({ daemonSet, deletedAt, createdAt }: PodState): number =>
  (daemonSet === undefined ? 0 : 2e15) + (deletedAt === undefined ? 1e15 : 0) + Date.parse(createdAt)

/**
 * Pods that started between the same two changes of the configuration, from the same template: so all run the same
 * mode.
 */
export interface Group {
  pods: PodState[]
}

export function groupsOf(
  pods: Iterable<PodState>,
  changesOf: (pod: PodState) => readonly string[] | undefined,
): Map<PodState, Group> {
  const byKey = new Map<string, Group>()
  const byPod = new Map<PodState, Group>()
  for (const pod of pods) {
    if (pod.startedAt === undefined) continue
    const key = `${pod.daemonSet ?? pod.flags?.join(' ') ?? ''} ${pod.revision ?? ''} ${interval(pod.startedAt, changesOf(pod) ?? [])}`
    const group = byKey.get(key) ?? { pods: [] }
    group.pods.push(pod)
    byKey.set(key, group)
    byPod.set(pod, group)
  }
  return byPod
}

const interval = (time: string, changes: readonly string[]): number => {
  const at = Date.parse(time)
  return changes.filter((it) => Date.parse(it) <= at).length
}

export const sampleSize = 5

/**
 * At most five of a group, spread over its start times; Ready pods first, because reading a log needs a kubelet that
 * answers.
 */
export function sampleOf(pods: readonly PodState[]): PodState[] {
  const ready = pods.filter((it) => it.ready)
  const from = [...(ready.length > 0 ? ready : pods)].sort(byStart)
  if (from.length <= sampleSize) return from
  const step = (from.length - 1) / (sampleSize - 1)
  return Array.from({ length: sampleSize }, (_, at) => from[Math.round(at * step)]).filter((it) => it !== undefined)
}

const byStart = (a: PodState, b: PodState): number =>
  Date.parse(a.startedAt ?? '') - Date.parse(b.startedAt ?? '') || (a.name < b.name ? -1 : 1)
