import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import type { WatchedObject } from '../../lab/watch.ts'
import { rolloutRestart, setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import type { NodeSpec } from '../../lab/fixtures/cluster-spec.ts'
import { nodeObject } from '../../lab/fixtures/nodes.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { type WatchedPods, watchPods } from '../../lab/pod-watch.ts'

const pods = '/api/v1/namespaces/kube-system/pods'
const query = 'labelSelector=k8s-app%3Dcalico-node'
const kubernetesVersion = '1.36.3'
const mergePatch = 'application/merge-patch+json'

export interface RestartStage {
  cluster: LabCluster
  direct: KubeClient
  /** Nodes that the test itself breaks, or takes away. */
  apart: Set<string>
  seen: () => WatchedPods
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
  const cluster = await useControlPlane({ name: 'restarts', workdir })
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
  const { stop: endWatch, ...watching } = await watchPods(cluster, { path: pods, query })
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
