import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCluster } from '../../lab/cluster.ts'
import { startControlPlane } from '../../lab/control-plane/start.ts'
import { watch, type WatchedObject } from '../../lab/crash/watch.ts'
import { rolloutRestart, setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import type { NodeSpec } from '../../lab/fixtures/cluster-spec.ts'
import { nodeObject } from '../../lab/fixtures/nodes.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import { kubeClient } from '../../shared/clients/kube.ts'
import type { KubeClient } from '../../shared/clients/kube-client.ts'

const pods = '/api/v1/namespaces/kube-system/pods'
const query = 'labelSelector=k8s-app%3Dcalico-node'
const kubernetesVersion = '1.36.3'
const mergePatch = 'application/merge-patch+json'

/** What the API server's watch showed of calico-node. */
export interface Seen {
  /** Pods in the order in which they began to go. */
  gone: { node: string; uid: string; at: number }[]
  /** When calico-node was Ready again on a node, each time. */
  back: { node: string; at: number }[]
  /** The most nodes that were without a Ready calico-node at one time, but for those apart. */
  mostAway: number
}

export interface RestartStage {
  cluster: LabCluster
  direct: KubeClient
  /** Nodes that the test itself breaks, or takes away. */
  apart: Set<string>
  seen: () => Seen
  /** Forgets what was seen; answers the pods there are, by node. */
  begin: () => Promise<Map<string, string>>
  caughtUp: () => Promise<void>
  report: (node: string, ready: boolean) => Promise<void>
  /** The kubelets' word that calico-node has run since before the mode changed: to change it afresh would take long. */
  age: () => Promise<void>
  join: (node: NodeSpec) => Promise<void>
  leave: (node: string) => Promise<void>
  stop: () => Promise<void>
}

interface Pod extends WatchedObject {
  status: WatchedObject['status'] & { containerStatuses?: object[] }
}

/** Calico 3.21 by its manifest, with `OnDelete`; its Felixes started before kube-proxy's mode went from iptables to ipvs. */
export const setTheStage = async (nodes: NodeSpec[]): Promise<RestartStage> => {
  const workdir = mkdtempSync(join(tmpdir(), 'restarts-'))
  const cluster = await startControlPlane({ name: 'restarts', workdir })
  const calico = { version: 'v3.21.6', install: 'manifest', updateStrategy: 'OnDelete', readyDelay: '1s' } as const
  await populate(cluster, { nodes, kubernetesVersion, kubeProxy: { mode: 'iptables' }, calico })
  const started = new Date()
  // Times of objects are whole seconds: what is to be later must be later by one.
  await sleep(2100)
  await setKubeProxyMode(cluster, 'ipvs')
  await sleep(2100)
  const kubeProxy = { namespace: 'kube-system', name: 'kube-proxy' }
  await rolloutRestart(cluster, kubeProxy)
  await untilSettled(cluster, kubeProxy, { pods: nodes.length })
  const ca = Buffer.from(cluster.caData, 'base64').toString()
  const direct = kubeClient({ server: cluster.server, ca, token: async () => cluster.adminToken })
  const { stop: endWatch, ...watching } = await watchPods(cluster)
  return {
    cluster,
    direct,
    ...watching,
    report: (node, ready) => report(cluster, node, ready),
    age: () => age(cluster, started),
    join: async (spec) =>
      void (await cluster.request('POST', '/api/v1/nodes', nodeObject(spec, 99, kubernetesVersion))),
    leave: (node) => leave(cluster, node),
    stop: async () => {
      direct.close()
      endWatch()
      await cluster.stop()
      rmSync(workdir, { recursive: true, force: true })
    },
  }
}

const nodeOf = ({ spec }: WatchedObject): string => spec?.nodeName ?? ''

const isWell = ({ metadata, status }: WatchedObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions ?? []).some((it) => it.type === 'Ready' && it.status === 'True')

const watchPods = async (cluster: LabCluster) => {
  const apart = new Set<string>()
  let seen: Seen = { gone: [], back: [], mostAway: 0 }
  const all = await watch(cluster, { path: pods, query }, ({ type, object }, before) => {
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

const podsOn = async (cluster: LabCluster, node?: string): Promise<Pod[]> => {
  const on = node === undefined ? '' : `&fieldSelector=spec.nodeName%3D${node}`
  return ((await cluster.request('GET', `${pods}?${query}${on}`)) as { items: Pod[] }).items
}

/** As its kubelet would: the probe of calico-node on the node fails, or passes again. */
const report = async (cluster: LabCluster, node: string, ready: boolean): Promise<void> => {
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: wholeSeconds(new Date()) }
  const patch = { status: { conditions: [condition] } }
  for (const { metadata } of await podsOn(cluster, node)) {
    const path = `${pods}/${metadata.name}/status`
    await cluster.request('PATCH', path, patch, 'application/strategic-merge-patch+json')
  }
}

const age = async (cluster: LabCluster, at: Date): Promise<void> => {
  const state = { running: { startedAt: wholeSeconds(at) } }
  for (const { metadata, status } of await podsOn(cluster)) {
    const containerStatuses = (status.containerStatuses ?? []).map((it) => ({ ...it, state }))
    const path = `${pods}/${metadata.name}/status`
    await cluster.request('PATCH', path, { status: { containerStatuses } }, mergePatch)
  }
}

/** The node goes first; its pods go when the garbage collector of pods comes by. */
const leave = async (cluster: LabCluster, node: string): Promise<void> => {
  await cluster.request('DELETE', `/api/v1/nodes/${node}`)
  await sleep(500)
  for (const { metadata } of await podsOn(cluster, node))
    await cluster.request('DELETE', `${pods}/${metadata.name}`, { gracePeriodSeconds: 0 }).catch(() => undefined)
}

const wholeSeconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`
