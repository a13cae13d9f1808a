import { isStatus } from '../../../lab/admin-client.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { setPodLogFile } from '../../../lab/fixtures/pod-logs.ts'
import type { FelixNode } from './node.ts'

/** Of a calico-node pod, what its kubelet acts on. */
export interface CalicoNodePod {
  metadata: { name: string; namespace: string; uid: string; deletionTimestamp?: string }
  spec: {
    nodeName: string
    containers: {
      env?: { name: string; value?: string }[]
      readinessProbe?: { periodSeconds?: number; failureThreshold?: number }
    }[]
  }
  status: { phase?: string; conditions?: { type: string }[]; containerStatuses?: object[] }
}

/**
 * What the kubelet does for the calico-node pod of one node, where there is a Felix to run: starts and ends it with the pod, and tells
 * the API server whether it is ready, by the pod's own readiness probe.
 */
export interface Kubelet {
  /** Of any calico-node pod on the node, as the API server shows it now; undefined: it is gone. */
  hear: (pod: CalicoNodePod) => void
  stop: () => Promise<void>
}

/** Kubernetes' own, where a probe does not say. */
const probeDefaults = { periodSeconds: 10, failureThreshold: 3 }

export function startKubelet(cluster: LabCluster, node: FelixNode): Kubelet {
  /** The pod that Felix runs for, or is about to: several tidings of one pod may come in before the first is acted upon. */
  let heard: string | undefined
  let current: { pod: CalicoNodePod; startedAt: string; ready: boolean } | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const begin = async (pod: CalicoNodePod): Promise<void> => {
    clearInterval(timer)
    await node.stopFelix()
    const log = node.startFelix(environmentOf(pod, node.name))
    current = { pod, startedAt: wholeSeconds(), ready: false }
    const { name, namespace } = pod.metadata
    await setPodLogFile(cluster, { namespace, container: 'calico-node', pods: [name] }, log)
    await tell(false)
    watchOver(pod)
  }

  const watchOver = (pod: CalicoNodePod): void => {
    const { periodSeconds, failureThreshold } = { ...probeDefaults, ...pod.spec.containers[0]?.readinessProbe }
    let failures = 0
    timer = setInterval(() => {
      failures = node.isReady() ? 0 : failures + 1
      if (!current) return
      if (failures === 0 && !current.ready) act(() => tell(true))
      else if (failures >= failureThreshold && current.ready) act(() => tell(false))
    }, periodSeconds * 1000)
  }

  const tell = async (ready: boolean): Promise<void> => {
    if (!current) return
    current.ready = ready
    const { name, namespace, uid } = current.pod.metadata
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/status`
    const patch = { metadata: { uid }, status: statusOf(current.pod, current.startedAt, ready) }
    await cluster.request('PATCH', path, patch, 'application/merge-patch+json').catch((error: unknown) => {
      // Deleted meanwhile, or another of the same name: what comes of that is heard next.
      if (!isStatus(error, 404) && !isStatus(error, 409)) throw error
    })
  }

  /** One thing after the other; what goes wrong while the API server is away is found again by the next probe. */
  const act = (action: () => Promise<void>): void => {
    queue = queue.then(action).catch(() => {
      if (current) current.ready = false
    })
  }

  return {
    hear: (pod) => {
      const { uid, deletionTimestamp } = pod.metadata
      if (deletionTimestamp === undefined && heard !== uid && pod.status.phase === 'Running') {
        heard = uid
        act(() => begin(pod))
      }
      if (deletionTimestamp !== undefined && heard === uid) {
        heard = undefined
        act(async () => {
          clearInterval(timer)
          current = undefined
          await node.stopFelix()
        })
      }
    },
    stop: async () => {
      clearInterval(timer)
      await queue
      clearInterval(timer)
      await node.stopFelix()
    },
  }
}

/** Kubernetes tells times to the second. */
const wholeSeconds = (): string => `${new Date().toISOString().slice(0, 19)}Z`

const environmentOf = (pod: CalicoNodePod, node: string): Record<string, string> =>
  Object.fromEntries(
    (pod.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value ?? (name === 'NODENAME' ? node : '')]),
  )

const statusOf = (pod: CalicoNodePod, startedAt: string, ready: boolean) => {
  const at = wholeSeconds()
  const since = (type: string, holds: boolean) => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: at,
    ...(holds ? {} : { reason: 'ContainersNotReady', message: 'containers with unready status: [calico-node]' }),
  })
  const kept = (pod.status.conditions ?? []).filter(({ type }) => !['Ready', 'ContainersReady'].includes(type))
  const container = (status: object) => ({
    ...status,
    ready,
    started: true,
    restartCount: 0,
    state: { running: { startedAt } },
  })
  return {
    phase: 'Running',
    conditions: [...kept, since('Ready', ready), since('ContainersReady', ready)],
    containerStatuses: (pod.status.containerStatuses ?? []).map(container),
  }
}
