import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import type { LabCluster } from '../cluster.ts'

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ nodeName: z.string() }),
      status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) }),
    }),
  ),
})

/** What the cluster itself showed of its calico-node pods, whatever anybody says they did. */
export interface PodWatch {
  /** Nodes whose pod was replaced, in the order in which it was seen. */
  replaced: string[]
  /** The most nodes seen without a ready pod at one time. */
  mostAway: number
  stop: () => Promise<void>
}

/** Looks ten times a second. Answers of a server that is away are passed over. */
export const watchPods = async (cluster: LabCluster, nodes: number): Promise<PodWatch> => {
  const watch = { replaced: [] as string[], mostAway: 0 }
  const known = new Map<string, string>()
  const end = new AbortController()
  const look = async () => {
    const path = '/api/v1/namespaces/calico-system/pods?labelSelector=k8s-app%3Dcalico-node'
    const { items } = podList.parse(await cluster.request('GET', path))
    const live = items.filter(({ metadata }) => !metadata.deletionTimestamp)
    for (const { metadata, spec } of live) {
      if ((known.get(spec.nodeName) ?? metadata.uid) !== metadata.uid) watch.replaced.push(spec.nodeName)
      known.set(spec.nodeName, metadata.uid)
    }
    const well = live.filter(({ status }) =>
      status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    )
    watch.mostAway = Math.max(watch.mostAway, nodes - well.length)
  }
  await look()
  const loop = (async () => {
    while (!end.signal.aborted) {
      await look().catch(() => undefined)
      await sleep(100)
    }
  })()
  return {
    get replaced() {
      return watch.replaced
    },
    get mostAway() {
      return watch.mostAway
    },
    stop: async () => {
      end.abort()
      await loop
    },
  }
}
