import type { Context } from './context.ts'
import { internalWrite } from './context.ts'
import { daemonPod, revisionOf, storeRevision } from './daemon-pods.ts'
import { deleteObject, removeNow } from './deletion.ts'
import { wants } from './node-fit.ts'
import type { Resource } from './resources.ts'
import type { Timers } from './timers.ts'
import { type DaemonSet, isControlledBy, isReady, type Node, type Pod } from './workloads.ts'
import { update } from './writes.ts'

export interface ControlledResources {
  daemonSets: Resource
  pods: Resource
  nodes: Resource
  revisions: Resource
}

const manager = 'kube-controller-manager'

/**
 * Keeps one pod of every DaemonSet on every node that wants it, rolls changed templates out, and counts in the status.
 */
export function startDaemonSetController(context: Context, timers: Timers, resources: ControlledResources): void {
  let isPlanned = false
  const plan = () => {
    if (isPlanned) return
    isPlanned = true
    timers.soon(() => {
      isPlanned = false
      for (const [, object] of context.store.list(resources.daemonSets) ?? []) {
        reconcile(context, resources, object as DaemonSet)
      }
    })
  }
  for (const resource of [resources.daemonSets, resources.pods, resources.nodes])
    context.store.subscribe(resource, plan)
}

function reconcile(context: Context, resources: ControlledResources, daemonSet: DaemonSet): void {
  const revision = storeRevision(context, resources.revisions, daemonSet, revisionOf(daemonSet))
  const nodes = (context.store.list(resources.nodes) ?? []).map(([, node]) => node as Node)
  const wanted = new Map(nodes.filter((node) => wants(daemonSet, node)).map((node) => [node.metadata.name, node]))
  const podsByNode = ownPodsByNode(context, resources.pods, daemonSet)
  for (const [node, pods] of podsByNode) {
    const surplus = wanted.has(node) ? pods.filter(isLive).slice(1) : pods.filter(isLive)
    for (const pod of surplus) remove(context, resources.pods, pod)
  }
  for (const [name, node] of wanted) {
    if (!podsByNode.has(name)) context.store.put(resources.pods, daemonPod(context, daemonSet, { node, revision }))
  }
  rollOut(context, resources, daemonSet, { revision, wanted, podsByNode })
  writeStatus(context, resources, daemonSet, { revision, wanted })
}

const isLive = ({ metadata }: Pod): boolean => metadata.deletionTimestamp === undefined

function ownPodsByNode(context: Context, pods: Resource, daemonSet: DaemonSet): Map<string, Pod[]> {
  const prefix = `${daemonSet.metadata.namespace}/`
  const own = (context.store.list(pods) ?? [])
    .filter(([key, pod]) => key.startsWith(prefix) && isControlledBy(pod, daemonSet))
    .map(([, pod]) => pod as Pod)
  return Map.groupBy(own, ({ spec }) => spec.nodeName ?? '')
}

function remove(context: Context, pods: Resource, { metadata }: Pod): void {
  const { name, namespace } = metadata
  deleteObject(context, pods, { name, namespace, body: undefined, options: internalWrite(manager) })
}

interface Rollout {
  revision: string
  wanted: Map<string, Node>
  podsByNode: Map<string, Pod[]>
}

/**
 * As the real controller: pods that are unavailable anyway go first and cost nothing, ready ones as far as the budget
 * allows.
 */
function rollOut(context: Context, { pods }: ControlledResources, daemonSet: DaemonSet, rollout: Rollout): void {
  const { updateStrategy } = daemonSet.spec
  if (updateStrategy?.type === 'OnDelete') return
  const { revision, wanted, podsByNode } = rollout
  let unavailable = 0
  const readyAndOld: Pod[] = []
  const unreadyAndOld: Pod[] = []
  for (const node of wanted.keys()) {
    const live = (podsByNode.get(node) ?? []).find(isLive)
    if (live === undefined || !isReady(live)) unavailable += 1
    if (live === undefined || hashOf(live) === revision) continue
    ;(isReady(live) ? readyAndOld : unreadyAndOld).push(live)
  }
  const budget = maxUnavailable(updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted.size)
  const allowed = Math.max(0, budget - unavailable)
  for (const pod of [...unreadyAndOld, ...readyAndOld.slice(0, allowed)]) remove(context, pods, pod)
}

/** Percentages round up, and nothing would ever roll with 0. */
function maxUnavailable(setting: number | string, wanted: number): number {
  const count = typeof setting === 'number' ? setting : Math.ceil((Number.parseFloat(setting) / 100) * wanted)
  return Math.max(1, count)
}

const hashOf = ({ metadata }: Pod): string | undefined => metadata.labels?.['controller-revision-hash']

function writeStatus(
  context: Context,
  { daemonSets, pods }: ControlledResources,
  { metadata }: DaemonSet,
  { revision, wanted }: Pick<Rollout, 'revision' | 'wanted'>,
): void {
  const current = context.store.get(daemonSets, `${metadata.namespace}/${metadata.name}`) as DaemonSet | undefined
  if (current === undefined) return
  const byNode = ownPodsByNode(context, pods, current)
  const scheduled = [...wanted.keys()].map((node) => byNode.get(node) ?? []).filter((found) => found.length > 0)
  const ready = scheduled.filter((found) => found.some((pod) => isLive(pod) && isReady(pod))).length
  const updated = scheduled.filter((found) => found.some((pod) => isLive(pod) && hashOf(pod) === revision)).length
  const misscheduled = [...byNode.keys()].filter((node) => !wanted.has(node)).length
  const status = {
    currentNumberScheduled: scheduled.length,
    desiredNumberScheduled: wanted.size,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    observedGeneration: current.metadata.generation,
    ...positive({
      updatedNumberScheduled: updated,
      numberAvailable: ready,
      numberUnavailable: wanted.size - ready,
    }),
  }
  const after = { ...current, status }
  update(context, daemonSets, { before: current, after, options: internalWrite(manager, 'status') })
}

/** These counters are left out where they are 0. */
const positive = (counters: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counters).filter(([, count]) => count > 0))

/** Pods whose node is gone go with it. */
export function startPodCollector(context: Context, { nodes, pods }: ControlledResources): void {
  context.store.subscribe(nodes, ({ type, object }) => {
    if (type !== 'DELETED') return
    const orphans = (context.store.list(pods) ?? []).filter(
      ([, pod]) => (pod as Pod).spec.nodeName === object.metadata.name,
    )
    for (const [, pod] of orphans) removeNow(context, pods, pod)
  })
}
