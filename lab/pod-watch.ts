import { watch, type WatchedObject } from './watch.ts'
import type { LabCluster } from './cluster.ts'

/** What the API server's watch showed of calico-node. */
export interface WatchedPods {
  /** Pods in the order in which they began to go. */
  gone: { node: string; uid: string; at: number }[]
  /** When calico-node was Ready again on a node, each time. */
  back: { node: string; at: number }[]
  /** The most nodes that were without a Ready calico-node at one time, but for those apart. */
  mostAway: number
}

const nodeOf = ({ spec }: WatchedObject): string => spec?.nodeName ?? ''

const isWell = ({ metadata, status }: WatchedObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some((it) => it.type === 'Ready' && it.status === 'True')

export interface PodWatch {
  /** Nodes whose pods do not count, because they were broken before. */
  apart: Set<string>
  seen: () => WatchedPods
  /** Forgets what was seen; answers the UID of the pod on each node. */
  begin: () => Promise<Map<string, string>>
  caughtUp: () => Promise<void>
  stop: () => void
}

export const watchPods = async (
  cluster: LabCluster,
  collection: { path: string; query: string },
): Promise<PodWatch> => {
  const apart = new Set<string>()
  let seen: WatchedPods = { gone: [], back: [], mostAway: 0 }
  const all = await watch(cluster, collection, ({ type, object }, before) => {
    const [node, at, { uid }] = [nodeOf(object), Date.now(), object.metadata]
    const isGoing = type === 'DELETED' || object.metadata.deletionTimestamp !== undefined
    // For a node that is going the controller makes one more pod, which never gets a place.
    if (isGoing && node !== '' && !seen.gone.some((it) => it.uid === uid)) seen.gone.push({ node, uid, at })
    if (!isGoing && isWell(object) && !(before && isWell(before))) seen.back.push({ node, at })
    const well = new Set([...all.objects.values()].filter(isWell).map(nodeOf))
    const away = [...known].filter((it) => !well.has(it) && !apart.has(it))
    for (const it of well) known.add(it)
    seen.mostAway = Math.max(seen.mostAway, away.length)
  })
  /** Nodes whose calico-node was Ready once. */
  const known = new Set([...all.objects.values()].filter(isWell).map(nodeOf))
  return {
    apart,
    seen: () => seen,
    begin: async () => {
      await all.caughtUp()
      seen = { gone: [], back: [], mostAway: 0 }
      return new Map(Array.from(all.objects.values(), (it) => [nodeOf(it), it.metadata.uid]))
    },
    caughtUp: all.caughtUp,
    stop: all.stop,
  }
}

/** Milliseconds from when calico-node was back on the node to when the next one went. */
export const pauseAfter = ({ gone, back }: WatchedPods, node: string): number => {
  const left = gone.find((it) => it.node === node)?.at ?? 0
  const returned = back.find((it) => it.node === node && it.at > left)?.at ?? Infinity
  return (gone.find(({ at }) => at > left)?.at ?? Infinity) - returned
}
