import { type Context, internalWrite } from './context.ts'
import { removeNow } from './deletion.ts'
import { reportedStatus } from './node-status.ts'
import { runningStatus } from './pod-status.ts'
import type { Resource } from './resources.ts'
import { durationOf, playOf, readyDelayAnnotation } from './stages.ts'
import { keyOf, type Change } from './store.ts'
import type { Timers } from './timers.ts'
import type { Pod } from './workloads.ts'
import { update } from './writes.ts'

/**
 * Simulated kubelets: nodes report themselves, pods on a node come up, after the delay they ask for, and go when they
 * are deleted.
 */
export function startKubelets(context: Context, timers: Timers, pods: Resource, nodes: Resource): void {
  const startPod = (key: string, uid: string | undefined) => {
    const pod = context.store.get(pods, key) as Pod | undefined
    if (pod === undefined || pod.metadata.uid !== uid || !isToStart(pod)) return
    const node = context.store.get(nodes, pod.spec.nodeName ?? '')
    const status = runningStatus(pod, node, playOf(context, pod), context.now())
    context.store.put(pods, { ...pod, status })
  }
  const removePod = (key: string, uid: string | undefined) => {
    const pod = context.store.get(pods, key)
    if (pod !== undefined && pod.metadata.uid === uid) removeNow(context, pods, pod)
  }
  context.store.subscribe(nodes, ({ type, object }: Change) => {
    if (type === 'ADDED') timers.soon(() => reportNode(context, nodes, keyOf(object)))
  })
  context.store.subscribe(pods, ({ type, object }: Change) => {
    const pod = object as Pod
    const { deletionTimestamp, finalizers = [], uid } = pod.metadata
    if (type === 'DELETED') return
    if (deletionTimestamp !== undefined) {
      if (finalizers.length === 0) timers.soon(() => removePod(keyOf(pod), uid))
    } else if (isToStart(pod)) {
      timers.after(durationOf(pod.metadata.annotations?.[readyDelayAnnotation]), () => startPod(keyOf(pod), uid))
    }
  })
}

const isToStart = (pod: Pod): boolean =>
  pod.spec.nodeName !== undefined &&
  pod.metadata.deletionTimestamp === undefined &&
  (pod.status?.phase ?? 'Pending') === 'Pending'

/** A new node's kubelet reports what the node's creator left out, and when. */
function reportNode(context: Context, nodes: Resource, key: string): void {
  const before = context.store.get(nodes, key)
  if (before === undefined) return
  const after = { ...before, status: reportedStatus(before, context.now()) }
  update(context, nodes, { before, after, options: internalWrite('kwok', 'status') })
}
