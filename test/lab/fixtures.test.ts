import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { z } from 'zod'
import type { LabCluster } from '../../lab/cluster.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { rolloutRestart, setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import { breakNode, repairNode } from '../../lab/fixtures/faults.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'

const calicoNode = { namespace: 'calico-system', name: 'calico-node' }
const kubeProxy = { namespace: 'kube-system', name: 'kube-proxy' }

let cluster: LabCluster

beforeAll(async () => {
  cluster = await useControlPlane({ name: 'fixtures', workdir: mkdtempSync(join(tmpdir(), 'lab-fixtures-')) })
  await populate(cluster, {
    nodes: [
      ...Array.from({ length: 12 }, (_, index) => ({ name: `ip-10-1-0-${index}.ec2.internal`, maxPods: 58 })),
      { name: 'fargate-1', computeType: 'fargate' },
      { name: 'auto-1', computeType: 'auto' },
      { name: 'windows-1', os: 'windows' },
    ],
    kubernetesVersion: '1.36.3',
    kubeProxy: { mode: 'ipvs' },
    calico: { version: 'v3.28.2', install: 'operator', env: { FELIX_IPV6SUPPORT: 'true' } },
    services: [
      {
        metadata: { name: 'web', namespace: 'shop' },
        spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 31000 }] },
      },
    ],
  })
}, 120_000)
afterAll(() => cluster?.stop())

test('twelve nodes run a Ready kube-proxy and calico-node each, and nodes of other kinds none', async () => {
  for (const { namespace, name } of [kubeProxy, calicoNode]) {
    const pods = await podsOf(namespace, name)
    expect(pods.filter(({ ready }) => ready)).toHaveLength(12)
    expect(new Set(pods.map(({ node }) => node)).size).toBe(12)
    expect(pods.filter(({ node }) => !node.startsWith('ip-'))).toEqual([])
  }
  const node = await cluster.request('GET', '/api/v1/nodes/ip-10-1-0-7.ec2.internal')
  expect(node).toMatchObject({
    status: { capacity: { pods: '58' }, nodeInfo: { kubeletVersion: 'v1.36.3-eks-3cfe0ce' } },
  })
})

test('Calico is there as the operator leaves it', async () => {
  const installation = await cluster.request('GET', '/apis/operator.tigera.io/v1/installations/default')
  expect(installation).toMatchObject({ spec: { kubernetesProvider: 'EKS' }, status: { calicoVersion: 'v3.28.2' } })
  const information = await cluster.request('GET', '/apis/crd.projectcalico.org/v1/clusterinformations/default')
  expect(information).toMatchObject({ spec: { calicoVersion: 'v3.28.2', datastoreReady: true } })
  const felix = await cluster.request('GET', '/apis/crd.projectcalico.org/v1/felixconfigurations/default')
  expect(felix).toMatchObject({ spec: { logSeverityScreen: 'Info' } })
  const daemonSet = await cluster.request('GET', '/apis/apps/v1/namespaces/calico-system/daemonsets/calico-node')
  expect(daemonSet).toMatchObject({
    spec: {
      template: {
        spec: { containers: [{ env: expect.arrayContaining([{ name: 'FELIX_IPV6SUPPORT', value: 'true' }]) }] },
      },
    },
  })
  expect(await cluster.request('GET', '/api/v1/namespaces/shop/services/web')).toMatchObject({
    spec: { ports: [{ nodePort: 31000 }] },
  })
})

test('a calico-node pod that is deleted is replaced on its node', async () => {
  const [before] = await podsOf(calicoNode.namespace, 'calico-node')
  await cluster.request('DELETE', podPath(before))
  const after = await podOn(before?.node, ({ name, ready }) => name !== before?.name && ready)
  expect(after.node).toBe(before?.node)
})

test('a rollout restart replaces every pod, one node at a time', async () => {
  const before = await podsOf(calicoNode.namespace, 'calico-node')
  let mostDown = 0
  const watching = new AbortController()
  const watch = (async () => {
    while (!watching.signal.aborted) {
      mostDown = Math.max(
        mostDown,
        12 - (await podsOf(calicoNode.namespace, 'calico-node')).filter(({ ready }) => ready).length,
      )
      await sleep(5)
    }
  })()
  await rolloutRestart(cluster, calicoNode)
  await untilSettled(cluster, calicoNode)
  watching.abort()
  await watch
  const names = new Set(before.map(({ name }) => name))
  const after = await podsOf(calicoNode.namespace, 'calico-node')
  expect(after.filter(({ name }) => names.has(name))).toEqual([])
  expect(mostDown).toBeLessThanOrEqual(1)
})

test.each([
  ['crash', 'CrashLoopBackOff'],
  ['unready', undefined],
] as const)('on a node broken by %s the next pod stays down until the node is repaired', async (fault, reason) => {
  const [before] = (await podsOf(calicoNode.namespace, 'calico-node')).slice(-1)
  await breakNode(cluster, before?.node ?? '', fault)
  await cluster.request('DELETE', podPath(before))
  const down = await podOn(before?.node, ({ name, started }) => name !== before?.name && started)
  await sleep(500)
  expect(await podOn(before?.node, ({ name }) => name === down.name)).toMatchObject({ ready: false, reason })
  await repairNode(cluster, before?.node ?? '')
  const repaired = await podOn(before?.node, ({ ready }) => ready)
  expect(repaired).toMatchObject({ name: down.name, reason: undefined })
})

test("after a change of kube-proxy's mode its pods' logs tell the mode they started in", async () => {
  const [kept, replaced] = await podsOf('kube-system', 'kube-proxy')
  expect(await logOf(kept)).toContain('Using ipvs Proxier')
  await setKubeProxyMode(cluster, 'iptables')
  const configMap = await cluster.request('GET', '/api/v1/namespaces/kube-system/configmaps/kube-proxy-config')
  expect(configMap).toMatchObject({ data: { config: expect.stringMatching(/^mode: "?iptables"?$/m) } })
  await cluster.request('DELETE', podPath(replaced))
  const fresh = await podOn(replaced?.node, ({ name, ready }) => name !== replaced?.name && ready, 'kube-proxy')
  expect(await logOf(fresh)).toContain('Using iptables Proxier')
  expect(await logOf(kept)).toContain('Using ipvs Proxier')
  await setKubeProxyMode(cluster, 'nftables')
  expect(await logOf(fresh)).toContain('Using iptables Proxier')
  expect(await logOf(kept)).toContain('Using ipvs Proxier')
})

test('pods are replaced soon after a suspended control plane has come back', async () => {
  const [before] = await podsOf(calicoNode.namespace, 'calico-node')
  await cluster.suspend()
  await sleep(5000)
  await cluster.resume()
  await cluster.request('DELETE', podPath(before))
  const after = await podOn(before?.node, ({ name, ready }) => name !== before?.name && ready)
  expect(after.node).toBe(before?.node)
})

test('a manifest install lies in kube-system, waits as told and is only replaced by hand where it is told so', async () => {
  const workdir = mkdtempSync(join(tmpdir(), 'lab-fixtures-'))
  const manifest = await useControlPlane({ name: 'manifest', workdir })
  try {
    const started = Date.now()
    await populate(manifest, {
      nodes: 2,
      kubernetesVersion: '1.29.4',
      kubeProxy: {
        mode: 'iptables',
        version: 'v1.28.1-eksbuild.1',
        extraDaemonSets: ['kube-proxy-arm'],
        configText: 'mode: ""\n',
      },
      calico: { version: 'v3.21.6', install: 'manifest', updateStrategy: 'OnDelete', readyDelay: '2s' },
      felixConfigurations: [],
    })
    expect(Date.now() - started).toBeGreaterThan(2000)
    const daemonSets = '/apis/apps/v1/namespaces/kube-system/daemonsets'
    expect(await manifest.request('GET', `${daemonSets}/calico-node`)).toMatchObject({
      spec: {
        updateStrategy: { type: 'OnDelete' },
        template: { spec: { containers: [{ image: 'docker.io/calico/node:v3.21.6', envFrom: expect.any(Array) }] } },
      },
      status: { numberReady: 2 },
    })
    expect(await manifest.request('GET', `${daemonSets}/kube-proxy-arm`)).toMatchObject({ status: { numberReady: 2 } })
    const configMap = await manifest.request('GET', '/api/v1/namespaces/kube-system/configmaps/kube-proxy-config')
    expect(configMap).toMatchObject({ data: { config: 'mode: ""\n' } })
    const felix = await manifest.request('GET', '/apis/crd.projectcalico.org/v1/felixconfigurations')
    expect(felix).toMatchObject({ items: [] })
    await expect(manifest.request('GET', '/apis/operator.tigera.io/v1/installations/default')).rejects.toThrow('404')
  } finally {
    await manifest.stop()
  }
})

interface Pod {
  namespace: string
  name: string
  node: string
  ready: boolean
  started: boolean
  reason: string | undefined
}

const podList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ namespace: z.string(), name: z.string(), deletionTimestamp: z.string().optional() }),
      spec: z.object({ nodeName: z.string().default('') }),
      status: z.object({
        startTime: z.string().optional(),
        conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
        containerStatuses: z
          .array(z.object({ state: z.object({ waiting: z.object({ reason: z.string() }).optional() }) }))
          .default([]),
      }),
    }),
  ),
})

async function podsOf(namespace: string, app: string): Promise<Pod[]> {
  const list = podList.parse(
    await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods?labelSelector=k8s-app%3D${app}`),
  )
  return list.items.map(({ metadata, spec, status }) => ({
    namespace: metadata.namespace,
    name: metadata.name,
    node: spec.nodeName,
    ready:
      metadata.deletionTimestamp === undefined &&
      status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
    started: status.startTime !== undefined,
    reason: status.containerStatuses[0]?.state.waiting?.reason,
  }))
}

/** Waits for such a pod on the node. */
async function podOn(node: string | undefined, wanted: (pod: Pod) => boolean, app = 'calico-node'): Promise<Pod> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const pods = await podsOf(app === 'calico-node' ? 'calico-system' : 'kube-system', app)
    const found = pods.find((pod) => pod.node === node && wanted(pod))
    if (found) return found
  }
  throw new Error(`no such ${app} pod came up on ${node}`)
}

const podPath = (pod: Pod | undefined): string => `/api/v1/namespaces/${pod?.namespace}/pods/${pod?.name}`
const logOf = (pod: Pod | undefined): Promise<unknown> => cluster.request('GET', `${podPath(pod)}/log`)
