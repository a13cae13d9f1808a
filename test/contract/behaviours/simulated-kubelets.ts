import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LabCluster } from '../../../lab/cluster.ts'
import { breakNode, type Fault, repairNode } from '../../../lab/fixtures/faults.ts'
import { type Behaviour, call, type Json } from '../behaviour.ts'
import { until } from '../../until.ts'
import { created } from '../objects.ts'
import { allReady, type Daemon, daemon, isReady } from './daemon-sets.ts'

const kwok = '/apis/kwok.x-k8s.io/v1alpha1'

export const simulatedKubelets: Behaviour[] = [
  {
    name: 'lets the next calico-node pod of a broken node crash, and repairs it by itself once repaired',
    async run(cluster) {
      const broken = await breakOne(cluster, 'kubelet-crash', 'crash')
      const { containerStatuses } = broken.pod.status
      assert.equal(containerStatuses[0].state.waiting.reason, 'CrashLoopBackOff')
      assert.ok(containerStatuses[0].restartCount > 0)
      assert.equal((await broken.agent.pods()).filter(isReady).length, 1)
      await until('the status counts it', async () => {
        const { status } = (await call(cluster, 'GET', broken.agent.path)).json
        return status.numberUnavailable === 1
      })
      await repairNode(cluster, broken.node)
      await allReady(broken.agent, 2)
      const uids = (await broken.agent.pods()).map(({ metadata }) => metadata.uid)
      assert.ok(uids.includes(broken.pod.metadata.uid))
    },
  },
  {
    name: 'lets the next calico-node pod of a broken node run and stay unready',
    async run(cluster) {
      const broken = await breakOne(cluster, 'kubelet-unready', 'unready')
      const { containerStatuses, phase } = broken.pod.status
      assert.equal(phase, 'Running')
      assert.ok(containerStatuses[0].state.running.startedAt)
      assert.equal(containerStatuses[0].ready, false)
      assert.equal(isReady(broken.pod), false)
      await repairNode(cluster, broken.node)
    },
  },
  {
    name: 'serves the logs of pods, whole and by their end',
    async run(cluster) {
      const agent = await daemon(cluster, 'kubelet-logs', { nodes: 1 })
      await allReady(agent, 1)
      const logsFile = join(dirname(cluster.kubeconfig), 'pods.log')
      const lines = ['Using ipvs Proxier', 'second', 'third']
      writeFileSync(logsFile, lines.map((line, at) => `2026-01-01T00:00:0${at}.000000000Z stderr F ${line}\n`).join(''))
      await created(cluster, `${kwok}/clusterlogs`, {
        apiVersion: 'kwok.x-k8s.io/v1alpha1',
        kind: 'ClusterLogs',
        metadata: { name: 'kubelet-logs' },
        spec: { selector: { matchNamespaces: ['kubelet-logs'] }, logs: [{ containers: ['agent'], logsFile }] },
      })
      const [pod] = await agent.pods()
      const log = (query = '') => call(cluster, 'GET', `${agent.podsPath}/${pod.metadata.name}/log${query}`)
      await until('the log is served', async () => (await log()).text === 'Using ipvs Proxier\nsecond\nthird\n')
      assert.match((await log()).headers['content-type'] ?? '', /^text\/plain/)
      assert.equal((await log('?tailLines=1')).text, 'third\n')
      assert.equal((await log('?tailLines=2&container=agent')).text, 'second\nthird\n')
      assert.equal((await log('?limitBytes=5')).text, 'Using')
    },
  },
  {
    name: 'refuses the log of a container or a pod that is not there',
    async run(cluster) {
      const agent = await daemon(cluster, 'kubelet-nologs', { nodes: 1 })
      await allReady(agent, 1)
      const [pod] = await agent.pods()
      const path = `${agent.podsPath}/${pod.metadata.name}/log?container=other`
      const { status, json } = await call(cluster, 'GET', path)
      assert.deepEqual([status, json.message], [400, `container other is not valid for pod ${pod.metadata.name}`])
      assert.equal((await call(cluster, 'GET', `${agent.podsPath}/nobody/log`)).status, 404)
    },
  },
]

interface Broken {
  agent: Daemon
  node: string
  /** The one that came after the node was broken. */
  pod: Json
}

/** Two nodes with a DaemonSet, one of them broken and its pod replaced. */
async function breakOne(cluster: LabCluster, name: string, fault: Fault): Promise<Broken> {
  const agent = await daemon(cluster, name, { nodes: 2 })
  await allReady(agent, 2)
  const node = `${name}-1`
  await breakNode(cluster, node, fault)
  const doomed = (await agent.pods()).find(({ spec }) => spec.nodeName === node)
  await call(cluster, 'DELETE', `${agent.podsPath}/${doomed.metadata.name}`)
  const next = async (): Promise<Json> =>
    (await agent.pods()).find(({ spec, metadata }) => spec.nodeName === node && metadata.uid !== doomed.metadata.uid)
  await until('the next pod has been started', async () => (await next())?.status.phase === 'Running')
  return { agent, node, pod: await next() }
}
