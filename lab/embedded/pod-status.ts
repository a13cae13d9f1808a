import { createHash } from 'node:crypto'
import { recordAt, timestamp } from './object.ts'
import type { Container, Node, Pod } from './workloads.ts'

/** How a simulated kubelet plays a pod. */
export type Play = 'ready' | 'unready' | 'crashing'

/** The status a pod on a node has once its kubelet has started it. */
export function runningStatus(pod: Pod, node: Node | undefined, play: Play, now: Date): Pod['status'] {
  const at = timestamp(now)
  const hostIP = addressOf(node)
  const podIP = pod.spec.hostNetwork === true ? hostIP : podAddress(pod)
  return {
    phase: 'Running',
    qosClass: qosClass(pod),
    startTime: at,
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: conditionsOf(pod, play, at),
    containerStatuses: pod.spec.containers.map((container) => containerStatus(container, play, at)),
    ...initStatuses(pod, at),
  }
}

function conditionsOf(pod: Pod, play: Play, lastTransitionTime: string) {
  const names = pod.spec.containers.map(({ name }) => name).join(' ')
  const failing = { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` }
  return ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => {
    const isFailing = play !== 'ready' && (type === 'Ready' || type === 'ContainersReady')
    const status = isFailing ? 'False' : 'True'
    return { type, status, lastProbeTime: null, lastTransitionTime, ...(isFailing ? failing : {}) }
  })
}

function containerStatus({ name, image = '' }: Container, play: Play, at: string) {
  return {
    name,
    image,
    // KWOK's own stages leave it empty, and so nothing in the lab can come to rely on it.
    imageID: '',
    ready: play === 'ready',
    restartCount: play === 'crashing' ? 3 : 0,
    // The stages of the faults tell it, KWOK's own does not.
    ...(play === 'ready' ? {} : { started: play === 'unready' }),
    ...(play === 'crashing' ? crashed(at) : { state: { running: { startedAt: at } }, lastState: {} }),
  }
}

const crashed = (at: string) => ({
  state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } },
  lastState: { terminated: { exitCode: 1, reason: 'Error', startedAt: at, finishedAt: at } },
})

function initStatuses(pod: Pod, at: string) {
  const { initContainers = [] } = pod.spec
  if (initContainers.length === 0) return {}
  const initContainerStatuses = initContainers.map(({ name, image = '' }) => ({
    name,
    image,
    imageID: '',
    ready: true,
    restartCount: 0,
    lastState: {},
    state: { terminated: { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at } },
  }))
  return { initContainerStatuses }
}

/** Guaranteed is not told apart: nothing in the lab sets limits. */
export const qosClass = ({ spec: { containers } }: Pick<Pod, 'spec'>): string =>
  containers.some(({ resources }) => Object.keys(recordAt(resources, 'requests')).length > 0)
    ? 'Burstable'
    : 'BestEffort'

const addressOf = (node: Node | undefined): string =>
  node?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '127.0.0.1'

function podAddress(pod: Pod): string {
  const bytes = createHash('sha256')
    .update(pod.metadata.uid ?? '')
    .digest()
  return `10.0.${bytes[0]}.${((bytes[1] ?? 0) % 254) + 1}`
}
