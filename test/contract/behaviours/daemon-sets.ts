import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LabCluster } from '../../../lab/cluster.ts'
import { nodeObject } from '../../../lab/fixtures/nodes.ts'
import { type Behaviour, call, type Json, merge } from '../behaviour.ts'
import { until } from '../../until.ts'
import { created, namespaced } from '../objects.ts'

export const daemonSetsApi = '/apis/apps/v1'

/** Nodes labelled for one behaviour, and a DaemonSet that wants just them. */
export async function daemon(cluster: LabCluster, name: string, options: DaemonOptions = {}): Promise<Daemon> {
  const { nodes = 2, template = {}, updateStrategy = { type: 'RollingUpdate' } } = options
  for (let index = 0; index < nodes; index += 1) await created(cluster, '/api/v1/nodes', node(`${name}-${index}`, name))
  const inside = await namespaced(cluster, name)
  const path = inside('daemonsets', daemonSetsApi)
  await created(cluster, path, {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent' },
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy,
      template: {
        metadata: { labels: { app: name, 'k8s-app': 'calico-node' }, ...template },
        spec: {
          nodeSelector: { behaviour: name },
          hostNetwork: true,
          tolerations: [{ operator: 'Exists' }],
          affinity: { nodeAffinity: notFargate },
          containers: [{ name: 'agent', image: 'example.com/agent:v1' }],
        },
      },
    },
  })
  const pods = async (): Promise<Json[]> =>
    (await call(cluster, 'GET', `${inside('pods')}?labelSelector=app%3D${name}`)).json.items
  return { path: `${path}/agent`, podsPath: inside('pods'), pods }
}

export interface DaemonOptions {
  nodes?: number
  template?: { annotations?: Record<string, string> }
  updateStrategy?: object
}

export interface Daemon {
  path: string
  podsPath: string
  pods(): Promise<Json[]>
}

const notFargate = {
  requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'eks.amazonaws.com/compute-type', operator: 'NotIn', values: ['auto', 'fargate'] }] },
    ],
  },
}

/** As kubelets on EKS report themselves, and labelled for the behaviour. */
const node = (name: string, behaviour: string, computeType: 'ec2' | 'fargate' = 'ec2'): object =>
  nodeObject({ name, computeType, labels: { behaviour } }, 7, '1.36.3')

export const isReady = (pod: Json): boolean =>
  pod.status.conditions?.some(({ type, status }: Json) => type === 'Ready' && status === 'True') === true

export const allReady = (daemon: Daemon, count: number): Promise<true> =>
  until(`${count} pods are ready`, async () => {
    const pods = await daemon.pods()
    return pods.length === count && pods.every(isReady)
  })

const uids = (pods: Json[]): string[] => pods.map(({ metadata }) => metadata.uid)
const image = (tag: string) => ({
  spec: { template: { spec: { containers: [{ name: 'agent', image: `example.com/agent:${tag}` }] } } },
})

export const daemonSets: Behaviour[] = [
  {
    name: 'runs a ready pod of a DaemonSet on each node it wants, and counts them',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-basic')
      await created(cluster, '/api/v1/nodes', node('daemon-basic-fargate', 'daemon-basic', 'fargate'))
      await allReady(agent, 2)
      const [pod] = await agent.pods()
      const nodes = new Set((await agent.pods()).map(({ spec }) => spec.nodeName))
      assert.deepEqual(nodes, new Set(['daemon-basic-0', 'daemon-basic-1']))
      const { status, metadata } = (await call(cluster, 'GET', agent.path)).json
      const [owner] = pod.metadata.ownerReferences
      assert.deepEqual(
        [owner.kind, owner.name, owner.uid, owner.controller],
        ['DaemonSet', 'agent', metadata.uid, true],
      )
      assert.match(pod.metadata.name, /^agent-[a-z0-9]{5}$/)
      assert.ok(pod.metadata.labels['controller-revision-hash'])
      await until('the status has counted them', async () => {
        const { status } = (await call(cluster, 'GET', agent.path)).json
        return status.numberReady === 2 && status.numberAvailable === 2
      })
      assert.equal(status.desiredNumberScheduled, 2)
      const after = (await call(cluster, 'GET', agent.path)).json
      assert.deepEqual(
        [after.status.observedGeneration, after.status.updatedNumberScheduled, after.status.numberUnavailable],
        [1, 2, undefined],
      )
    },
  },
  {
    name: 'shows on a running pod when it started, on which image and where',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-pods', { nodes: 1 })
      await allReady(agent, 1)
      const [{ status, spec }] = await agent.pods()
      const [container] = status.containerStatuses
      assert.equal(status.phase, 'Running')
      assert.match(status.startTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.match(container.state.running.startedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.deepEqual(
        [container.name, container.image, container.ready, container.restartCount],
        ['agent', 'example.com/agent:v1', true, 0],
      )
      assert.equal(status.podIP, status.hostIP)
      const onNode = `${agent.podsPath}?fieldSelector=spec.nodeName%3D${spec.nodeName}`
      assert.equal((await call(cluster, 'GET', onNode)).json.items.length, 1)
      assert.equal(
        (await call(cluster, 'GET', `${agent.podsPath}?fieldSelector=spec.nodeName%3Dnone`)).json.items.length,
        0,
      )
    },
  },
  {
    name: 'puts another pod in the place of a deleted one',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-return')
      await allReady(agent, 2)
      const [doomed, kept] = await agent.pods()
      const wrong = { preconditions: { uid: 'another' } }
      const path = `${agent.podsPath}/${doomed.metadata.name}`
      assert.equal((await call(cluster, 'DELETE', path, { body: wrong })).status, 409)
      const { status, json } = await call(cluster, 'DELETE', path, {
        body: { preconditions: { uid: doomed.metadata.uid } },
      })
      assert.deepEqual([status, json.kind, json.metadata.uid], [200, 'Pod', doomed.metadata.uid])
      assert.ok(json.metadata.deletionTimestamp)
      await until('another pod is ready', async () => {
        const pods = await agent.pods()
        return pods.length === 2 && pods.every(isReady) && !uids(pods).includes(doomed.metadata.uid)
      })
      assert.ok(uids(await agent.pods()).includes(kept.metadata.uid))
    },
  },
  {
    name: 'takes as long to make a pod ready as its annotation asks',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-delay', {
        nodes: 1,
        template: { annotations: { 'lab/ready-delay': '1500ms' } },
      })
      const from = Date.now()
      await allReady(agent, 1)
      assert.ok(Date.now() - from > 1000, `ready after ${Date.now() - from} ms`)
    },
  },
  {
    name: 'rolls a changed template out, no more pods at once than allowed',
    async run(cluster) {
      const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '34%' } }
      const template = { annotations: { 'lab/ready-delay': '300ms' } }
      const agent = await daemon(cluster, 'daemon-roll', { nodes: 4, updateStrategy, template })
      await allReady(agent, 4)
      const old = uids(await agent.pods())
      const contentType = 'application/strategic-merge-patch+json'
      const { json } = await call(cluster, 'PATCH', agent.path, { body: image('v2'), contentType })
      assert.equal(json.metadata.generation, 2)
      let fewest = 4
      await until('the roll is over', async () => {
        const pods = await agent.pods()
        fewest = Math.min(
          fewest,
          pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length,
        )
        const { status } = (await call(cluster, 'GET', agent.path)).json
        return status.observedGeneration === 2 && status.updatedNumberScheduled === 4 && status.numberAvailable === 4
      })
      assert.equal(fewest, 2)
      const pods = await agent.pods()
      assert.ok(pods.every(({ spec }) => spec.containers[0].image === 'example.com/agent:v2'))
      assert.ok(uids(pods).every((uid) => !old.includes(uid)))
    },
  },
  {
    name: 'leaves the pods of an OnDelete DaemonSet to who deletes them',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-ondelete', { updateStrategy: { type: 'OnDelete' } })
      await allReady(agent, 2)
      const old = uids(await agent.pods())
      await merge(cluster, agent.path, { spec: { template: { metadata: { annotations: { changed: 'yes' } } } } })
      await until(
        'the change is observed',
        async () => (await call(cluster, 'GET', agent.path)).json.status.observedGeneration === 2,
      )
      await sleep(500)
      assert.deepEqual(uids(await agent.pods()), old)
      const [first] = await agent.pods()
      await call(cluster, 'DELETE', `${agent.podsPath}/${first.metadata.name}`)
      await until(
        'one pod is of the new template',
        async () => (await call(cluster, 'GET', agent.path)).json.status.updatedNumberScheduled === 1,
      )
      await allReady(agent, 2)
      const hashes = (await agent.pods()).map(({ metadata }) => metadata.labels['controller-revision-hash'])
      assert.equal(new Set(hashes).size, 2)
    },
  },
  {
    name: 'takes its pods along when a DaemonSet goes',
    async run(cluster) {
      const agent = await daemon(cluster, 'daemon-gone', { nodes: 1 })
      await allReady(agent, 1)
      assert.equal((await call(cluster, 'DELETE', agent.path)).status, 200)
      await until('its pods are gone', async () => (await agent.pods()).length === 0)
    },
  },
]
