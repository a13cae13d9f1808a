import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kubeClient } from '../../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../../shared/clients/kube/client.ts'
import { isStatus } from '../../../lab/admin-client.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { useControlPlane } from '../../control-planes/use.ts'
import { startEmbedded } from '../../../lab/embedded/start.ts'
import { rolloutRestart, setKubeProxyMode } from '../../../lab/fixtures/changes.ts'
import { nodeSpecs } from '../../../lab/fixtures/nodes.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { untilSettled } from '../../../lab/fixtures/settle.ts'
import { type Clock, createClock } from './clock.ts'
import { type Observer, observeCluster } from './observed.ts'

/** What has to be put right: the range, the Felixes that missed the mode, or both. */
export type Need = 'both' | 'range' | 'restarts'

export const range = { min: 20_000, max: 32_767 }
export const target = `${range.min}:${range.max}`

/** One control plane for all runs. `set` makes the cluster what it was before, in need of so much. */
export interface Scene {
  cluster: LabCluster
  clock: Clock
  nodes: string[]
  observer: Observer
  /** The straight way to the API server, as the administrator. */
  direct: KubeClient
  set: (need: Need) => Promise<void>
  stop: () => Promise<void>
}

const namespace = 'calico-system'
const felix = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
const mergePatch = 'application/merge-patch+json'
const rangeAnnotation = 'config.projectcalico.org/KubeNodePortRanges'

/** Calico 3.21, whose Felix does not notice a mode, in a cluster that went from iptables to ipvs after Felix had started. */
export const setTheScene = async (nodeCount = 3, kind: LabCluster['kind'] = 'real'): Promise<Scene> => {
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-crash-'))
  const cluster = await (kind === 'real' ? useControlPlane : startEmbedded)({ name: 'crash', workdir })
  try {
    const started = await populateFrom321(cluster, nodeCount)
    const clock = createClock()
    const nodes = nodeSpecs(nodeCount).map(({ name }) => name)
    const observer = await observeCluster({ cluster, nodes, clock, namespace })
    const direct = directTo(cluster)
    const stop = async () => {
      direct.close()
      observer.stop()
      await cluster.stop()
      rmSync(workdir, { recursive: true, force: true })
    }
    const parts = { cluster, nodeCount, started }
    return { cluster, clock, nodes, observer, direct, set: (need) => set(parts, need), stop }
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

/** Answers when the first calico-node pods had started: before the mode changed. */
const populateFrom321 = async (cluster: LabCluster, nodeCount: number): Promise<Date> => {
  const calico = { version: 'v3.21.6', install: 'operator' } as const
  await populate(cluster, { nodes: nodeCount, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'iptables' }, calico })
  const before = new Date(Date.now() - 1000)
  const kubeProxy = { namespace: 'kube-system', name: 'kube-proxy' }
  await untilSettled(cluster, kubeProxy, { pods: nodeCount })
  // Times of objects are whole seconds: what is to be later must be later by one.
  await sleep(2100)
  await setKubeProxyMode(cluster, 'ipvs')
  await sleep(2100)
  await rolloutRestart(cluster, kubeProxy)
  await untilSettled(cluster, kubeProxy, { pods: nodeCount })
  return before
}

const directTo = ({ server, caData, adminToken }: LabCluster): KubeClient =>
  kubeClient({ server, ca: Buffer.from(caData, 'base64').toString(), token: async () => adminToken })

interface Parts {
  cluster: LabCluster
  nodeCount: number
  /** When the first calico-node pods had started: before the mode changed. */
  started: Date
}

const set = async ({ cluster, nodeCount, started }: Parts, need: Need): Promise<void> => {
  const ranged = need === 'restarts'
  const { items } = (await cluster.request('GET', felix)) as { items: { metadata: { name: string } }[] }
  const overrides = items.filter(({ metadata }) => metadata.name !== 'default')
  await Promise.all([remove(cluster, lease), ...overrides.map((it) => remove(cluster, `${felix}/${it.metadata.name}`))])
  const annotations = { [rangeAnnotation]: ranged ? target : null, 'calico-ipvs-sync/changed-at': null }
  await cluster.request('PATCH', `${felix}/default`, { metadata: { annotations } }, mergePatch)
  await untilSettled(cluster, { namespace, name: 'calico-node' }, { pods: nodeCount })
  await pretendStarted(cluster, need === 'range' ? new Date() : started)
}

const remove = async (cluster: LabCluster, path: string): Promise<void> => {
  await cluster.request('DELETE', path).catch((error: unknown) => {
    if (!isStatus(error, 404)) throw error
  })
}

interface Pod {
  metadata: { name: string; deletionTimestamp?: string }
  status: { containerStatuses?: { state: { running?: { startedAt: string } } }[] }
}

/** The kubelets' word for when calico-node started: making the mode change afresh would take seconds, this takes none. */
const pretendStarted = async (cluster: LabCluster, at: Date): Promise<void> => {
  const path = `/api/v1/namespaces/${namespace}/pods`
  const { items } = (await cluster.request('GET', `${path}?labelSelector=k8s-app%3Dcalico-node`)) as { items: Pod[] }
  const startedAt = `${at.toISOString().slice(0, 19)}Z`
  await Promise.all(
    items.map(({ metadata, status: { containerStatuses = [] } }) => {
      const statuses = containerStatuses.map((it) => ({ ...it, state: { running: { startedAt } } }))
      const patch = { status: { containerStatuses: statuses } }
      return cluster.request('PATCH', `${path}/${metadata.name}/status`, patch, mergePatch)
    }),
  )
}
