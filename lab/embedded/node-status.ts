import { type Fieldful, isRecord, type KubeObject, listAt, recordAt, timestamp } from './object.ts'

/** As KWOK's `node-initialize` stage has it; `Ready` only where the node itself does not say otherwise. */
const conditions = [
  { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  {
    type: 'NetworkUnavailable',
    status: 'False',
    reason: 'RouteCreated',
    message: 'RouteController created a route',
  },
]

export function reportedStatus(node: KubeObject, now: Date): Fieldful {
  const at = timestamp(now)
  const times = { lastHeartbeatTime: at, lastTransitionTime: at }
  const given = listAt(node, 'status', 'conditions').filter(isRecord)
  const missing = conditions.filter(({ type }) => !given.some((condition) => condition['type'] === type))
  const all = [...given, ...missing].map((condition) => ({ ...times, ...condition }))
  return { phase: 'Running', ...recordAt(node, 'status'), conditions: all }
}
