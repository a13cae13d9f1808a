import { setTimeout as sleep } from 'node:timers/promises'
import { changedAtKey, overrideKey, rangeAnnotation } from '../../../shared/domain/rollout/annotations.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import type { Clock } from './clock.ts'
import { watch, type WatchedObject } from '../../../lab/watch.ts'

/** What the API server showed of a run, whatever anybody says they did. */
export interface Observed {
  /** Changes of the text of the range that counts on a node: each makes its Felix restart. */
  felix: { node: string; range: string | undefined; at: number }[]
  /** calico-node pods that were seen going. */
  pods: { node: string; uid: string; at: number }[]
}

export interface Observer {
  /** Forgets what it has seen, once it has seen all there was. */
  begin: () => Promise<Observed>
  /** Until all that was done is seen, and calico-node is Ready on every node as its kubelet would have it by then. */
  caughtUp: () => Promise<void>
  /** Nodes whose calico-node is not waited for. */
  broken: Set<string>
  /** Kubelets that say by what stands in the cluster whether a pod is well: no time goes by before they have said it. */
  kubelets: Set<() => Promise<void>>
  overrides: () => string[]
  rangeOn: (node: string) => string | undefined
  stop: () => void
}

export interface Observing {
  cluster: LabCluster
  nodes: string[]
  clock: Clock
  namespace: string
}

/** Watches FelixConfigurations and calico-node pods through connections of its own. */
export const observeCluster = async ({ cluster, nodes, clock, namespace }: Observing): Promise<Observer> => {
  let seen: Observed = { felix: [], pods: [] }
  const broken = new Set<string>()
  const kubelets: Observer['kubelets'] = new Set()
  const effective = new Map<string, string | undefined>()
  const felix = await watch(
    cluster,
    { path: '/apis/crd.projectcalico.org/v1/felixconfigurations' },
    ({ type, object }) => {
      // The test's clock may have jumped while the event was on its way; the object itself says when it was written.
      const written = type === 'DELETED' ? undefined : object.metadata.annotations?.[changedAtKey]
      const at = written === undefined ? clock.now().getTime() : Date.parse(written)
      for (const node of nodes) {
        const range = rangeOn(node)
        if (range === effective.get(node)) continue
        effective.set(node, range)
        seen.felix.push({ node, range, at })
      }
    },
  )
  const rangeOn = (node: string): string | undefined => rangeIn(felix.objects, node)
  for (const node of nodes) effective.set(node, rangeOn(node))
  const path = `/api/v1/namespaces/${namespace}/pods`
  const pods = await watch(cluster, { path, query: 'labelSelector=k8s-app%3Dcalico-node' }, ({ type, object }) => {
    const { uid, deletionTimestamp } = object.metadata
    if ((type !== 'DELETED' && deletionTimestamp === undefined) || seen.pods.some((it) => it.uid === uid)) return
    seen.pods.push({ node: object.spec?.nodeName ?? '?', uid, at: clock.now().getTime() })
  }).catch((error: unknown) => {
    felix.stop()
    throw error
  })
  const caughtUp = async () => {
    await Promise.all([felix.caughtUp(), pods.caughtUp(), ...[...kubelets].map((it) => it())])
    const isWell = (it: WatchedObject) => isReady(it) && !broken.has(it.spec?.nodeName ?? '')
    const well = () => [...pods.objects.values()].filter(isWell).length >= nodes.length - broken.size
    for (const end = Date.now() + 5_000; !well() && Date.now() < end; ) await sleep(2)
  }
  return {
    caughtUp,
    broken,
    kubelets,
    rangeOn,
    begin: async () => {
      await caughtUp()
      seen = { felix: [], pods: [] }
      return seen
    },
    overrides: () =>
      [...felix.objects.values()].filter((it) => it.metadata.annotations?.[overrideKey]).map((it) => it.metadata.name),
    stop: () => {
      felix.stop()
      pods.stop()
    },
  }
}

const isReady = ({ metadata, status }: WatchedObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some((it) => it.type === 'Ready' && it.status === 'True')

/** The text of the range that counts on a node. */
export const rangeIn = (objects: Map<string, WatchedObject>, node: string): string | undefined =>
  objects.get(`node.${node}`)?.metadata.annotations?.[rangeAnnotation] ??
  objects.get('default')?.metadata.annotations?.[rangeAnnotation]
