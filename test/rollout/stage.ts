import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../verify/crash/clock.ts'
import { observeCluster, rangeIn } from '../verify/crash/observed.ts'
import { range, type Scene } from '../verify/crash/scene.ts'
import { isStatus } from '../../lab/admin-client.ts'
import { type Watch, watch, type WatchEvent } from '../../lab/watch.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'
import { nodeSpecs } from '../../lab/fixtures/nodes.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { EksState } from '../../shared/domain/cluster.ts'
import type { Policy } from '../../shared/domain/policy/policy.ts'
import type { AssessedCluster } from '../../shared/workflows/rollout/begin.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import type { SyncTools } from '../../shared/workflows/rollout/sync.ts'

export type Kind = 'real' | 'embedded'
export type Stage = Omit<Scene, 'set'>

/** A cluster in IPVS mode under observation; its range is behind that of `range`. */
export const setTheStage = async (kind: Kind, nodeCount: number): Promise<Stage> => {
  const workdir = mkdtempSync(join(tmpdir(), 'rollout-'))
  const cluster = await (kind === 'real' ? useControlPlane : startEmbedded)({ name: 'prod', workdir })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: nodeCount, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const clock = createClock()
  const nodes = nodeSpecs(nodeCount).map(({ name }) => name)
  const observer = await observeCluster({ cluster, nodes, clock, namespace: 'calico-system' })
  const ca = Buffer.from(cluster.caData, 'base64').toString()
  const direct = kubeClient({ server: cluster.server, ca, token: async () => cluster.adminToken })
  const stop = async () => {
    direct.close()
    observer.stop()
    await cluster.stop()
    rmSync(workdir, { recursive: true, force: true })
  }
  return { cluster, clock, nodes, observer, direct, stop }
}

interface Felix {
  metadata: { name: string; annotations?: Record<string, string> }
}

/** Takes back what a rollout of the range wrote, so that the next one finds the cluster as it was. */
export const asBefore = async ({ cluster, observer }: Stage): Promise<void> => {
  const { items } = (await cluster.request('GET', felixConfigurations)) as { items: Felix[] }
  const remove = (path: string) =>
    cluster.request('DELETE', path).catch((error: unknown) => {
      if (!isStatus(error, 404)) throw error
    })
  const [overrides, others] = [items.filter(isOverride), items.filter((it) => !isOverride(it))]
  await Promise.all([lease, ...overrides.map((it) => `${felixConfigurations}/${it.metadata.name}`)].map(remove))
  for (const { metadata } of others) {
    const annotations = Object.fromEntries(Object.keys(metadata.annotations ?? {}).map((key) => [key, null]))
    const patch = { metadata: { annotations }, spec: { kubeNodePortRanges: null } }
    await cluster.request('PATCH', `${felixConfigurations}/${metadata.name}`, patch, 'application/merge-patch+json')
  }
  observer.broken.clear()
}

const isOverride = ({ metadata: { name } }: Felix): boolean => name.startsWith('node.')
const felixConfigurations = '/apis/crd.projectcalico.org/v1/felixconfigurations'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'

export const eks = (serviceNodePortRange = range): EksState => ({
  status: 'ACTIVE',
  version: '1.36',
  arn: 'arn:aws:eks:us-east-1:111122223333:cluster/rollout',
  serviceNodePortRange,
  autoMode: false,
  kubeProxyAddon: { value: undefined },
  updates: { value: [] },
  tags: {},
})

export const lookAt = async ({ direct, clock }: Stage, policy: Policy, of = eks()): Promise<AssessedCluster> => {
  const state = await observe({ kube: direct, identity: { name: 'prod' }, now: clock.now(), eks: { value: of } })
  return { state, assessment: assess(state, policy) }
}

/** What the command line would be, but that its sleeps cost nothing. */
export const syncTools = (stage: Stage, policy: Policy, { holder = 'test', of = eks() } = {}): SyncTools => ({
  kube: stage.direct,
  holder,
  leaseSeconds: 60,
  now: stage.clock.now,
  tell: () => undefined,
  waiting: () => undefined,
  interrupted: () => false,
  look: () => lookAt(stage, policy, of),
  sleep: async (seconds) => {
    await stage.observer.caughtUp()
    stage.clock.skip(seconds * 1000)
  },
})

/** The most nodes whose Felix was made to restart within one settling time. */
export const mostAtOnce = (changes: { at: number }[], settleSeconds: number): number =>
  Math.max(
    0,
    ...changes.map(({ at }) => changes.filter((it) => it.at <= at && at - it.at < settleSeconds * 1000 - 500).length),
  )

interface Pod {
  metadata: { name: string; namespace: string }
  spec: { nodeName: string }
}

/** Says of calico-node on a node whether it is Ready, as its kubelet would, by the test's clock. */
const reportReady = async ({ cluster, clock }: Stage, node: string, ready: boolean): Promise<void> => {
  const query = `labelSelector=k8s-app%3Dcalico-node&fieldSelector=spec.nodeName%3D${node}`
  const { items } = (await cluster.request('GET', `/api/v1/pods?${query}`)) as { items: Pod[] }
  const lastTransitionTime = `${clock.now().toISOString().slice(0, 19)}Z`
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }
  const patch = { status: { conditions: [condition] } }
  const type = 'application/strategic-merge-patch+json'
  await Promise.all(
    items.map(({ metadata }) =>
      cluster.request('PATCH', `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`, patch, type),
    ),
  )
}

/** Kubelets that follow the FelixConfigurations: the clock does not jump before they have said what is so. */
const kubeletsOf = async (
  { cluster, observer }: Stage,
  heard: (objects: Watch['objects'], event: WatchEvent) => Promise<void> | undefined,
): Promise<{ said: () => Promise<void>; stop: () => void }> => {
  let told = Promise.resolve()
  const changes: Watch = await watch(cluster, { path: felixConfigurations }, (event) => {
    told = told.then(() => heard(changes.objects, event))
  })
  const said = async (): Promise<void> => {
    await changes.caughtUp()
    await told
  }
  observer.kubelets.add(said)
  return {
    said,
    stop: () => {
      observer.kubelets.delete(said)
      changes.stop()
    },
  }
}

/** calico-node on the node is Ready as long as the range that counts there is another one than `range`. */
export const failFelixWith = async (
  stage: Stage,
  node: string,
  range: string,
): Promise<{ stop: () => Promise<void> }> => {
  let ready = true
  const { broken } = stage.observer
  const kubelets = await kubeletsOf(stage, (objects) => {
    const isWell = rangeIn(objects, node) !== range
    if (isWell === ready) return undefined
    ready = isWell
    if (ready) broken.delete(node)
    else broken.add(node)
    return reportReady(stage, node, isWell)
  })
  return {
    stop: async () => {
      await kubelets.said()
      kubelets.stop()
    },
  }
}

/**
 * As the kubelet does: where an override comes, the probe of calico-node on that node fails, until it is repaired. Watches
 * for itself and answers the way to stop that.
 */
export const failFelixOn = async (
  stage: Stage,
  struck: (node: string) => void,
): Promise<{ stop: () => void; repair: () => Promise<void> }> => {
  const failing = new Set<string>()
  const kubelets = await kubeletsOf(stage, (_, { type, object }) => {
    const node = object.metadata.name.replace(/^node\./, '')
    if (type !== 'ADDED' || node === object.metadata.name) return undefined
    failing.add(node)
    struck(node)
    return reportReady(stage, node, false)
  })
  return {
    stop: kubelets.stop,
    repair: async () => void (await Promise.all([...failing].map((it) => reportReady(stage, it, true)))),
  }
}
