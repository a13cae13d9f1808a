import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { groups } from '../../shared/domain/grant/groups.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { createIfAbsent } from '../../lab/control-plane/crds.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import { configText } from '../../lab/fixtures/kube-proxy.ts'
import { calicoNodeLog, setPodLogs } from '../../lab/fixtures/pod-logs.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import { plantWebhook, uprootWebhook } from '../../lab/fixtures/webhooks.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import { intentOf } from '../../shared/domain/plan/intent.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import type { ServiceRange } from '../../shared/domain/report.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { withWebhookNodes } from '../../shared/workflows/observe/webhooks.ts'
import { sync } from '../../shared/workflows/rollout/sync.ts'
import { type Harm, harms, excerptOf } from './rbac-harm.ts'
import { type Right, rights, textOf, without } from './rbac-rules.ts'
import { servedNatively } from './rbac-native-api.ts'
import {
  aSecond,
  clientOf,
  emptied,
  felixPath,
  items,
  kubeProxyPods,
  mergePatch,
  nodeNames,
  rangeAnnotation,
  removed,
  restartKubeProxy,
} from './world.ts'
import { until } from '../until.ts'

/**
 * The manifest as shipped, on a real API server: enough for a whole look and for whole rollouts, and not a verb more.
 * Each right is taken away by itself, in a state of the cluster that makes it needed, and must then be missed.
 */

const workdir = mkdtempSync(join(tmpdir(), 'rbac-real-'))
const users: Record<string, string> = { viewer: groups.viewers, operator: groups.operators }
let cluster: LabCluster
let viewer: KubeClient
let operator: KubeClient
const tried = new Set<string>()

beforeAll(async () => {
  const authenticate = async (token: string) => {
    const group = users[token]
    return group === undefined ? undefined : { username: token, groups: [group] }
  }
  cluster = await useControlPlane({ name: 'rbac', workdir, authenticate })
  ;[viewer, operator] = [clientOf(cluster, 'viewer'), clientOf(cluster, 'operator')]
  const metadata = { name: 'calico-system' }
  await createIfAbsent(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
  await applyManifests(cluster)
}, 240_000)
afterAll(async () => {
  viewer?.close()
  operator?.close()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

const right = (text: string): Right => {
  const found = rights.find((it) => textOf(it) === text)
  if (!found) throw new Error(`The manifest has no right ${text}, but:\n${rights.map(textOf).join('\n')}`)
  tried.add(text)
  return found
}

const policy = policyWith({ canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 30 })
const look = async (kube: KubeClient, givenServiceRange?: ServiceRange) => {
  const identity = { name: 'rbac' }
  const state = await observe({ kube, identity, now: new Date(), ...(givenServiceRange && { givenServiceRange }) })
  return { state, assessment: assess(state, policy) }
}
const check = async () => excerptOf((await look(viewer)).assessment.report)

/** A viewer sees all that the administrator sees; without each of these rights it sees that it lacks something. */
const expectNeeded = async (needed: Record<string, Harm>): Promise<void> => {
  const whole = await check()
  const administrator = clientOf(cluster)
  const all = excerptOf((await look(administrator)).assessment.report)
  administrator.close()
  expect(whole).toEqual(all)
  expect(whole.codes).not.toContain('ACCESS_DENIED')
  const missed: Record<string, Harm[]> = {}
  for (const text of Object.keys(needed)) {
    missed[text] = await without({ cluster, kube: viewer }, right(text), async () => harms(whole, await check()))
  }
  expect(missed).toEqual(
    Object.fromEntries(Object.entries(needed).map(([text, harm]) => [text, expect.arrayContaining([harm])])),
  )
}

const byDigest = `quay.io/calico/node@sha256:${'7'.repeat(64)}`
/** Pulled by digest, as image policies ask for: the image then does not tell the version. */
const pullByDigest = async (namespace: string): Promise<void> => {
  const containers = [{ name: 'calico-node', image: byDigest }]
  await change(`/apis/apps/v1/namespaces/${namespace}/daemonsets/calico-node`, {
    spec: { template: { spec: { containers } } },
  })
  await untilSettled(cluster, { namespace, name: 'calico-node' })
}
const change = (path: string, patch: object, type = 'application/strategic-merge-patch+json') =>
  cluster.request('PATCH', path, patch, type)

const [whole, system, calicoSystem] = [
  'ClusterRole/calico-ipvs-sync-viewer',
  'Role/kube-system/calico-ipvs-sync-viewer',
  'Role/calico-system/calico-ipvs-sync-viewer',
]
const operatorOf = (place: string): string => place.replace('viewer', 'operator')
const crd = '/apis/crd.projectcalico.org/v1'
const installation = '/apis/operator.tigera.io/v1/installations'
const spec = { nodes: 2, kubernetesVersion: '1.36.3' }

describe('a check by a viewer', () => {
  test('of an operator install on EKS needs every list, the configuration, the Lease', async () => {
    await emptied(cluster)
    const calico = { version: 'v3.28.4', install: 'operator' } as const
    await populate(cluster, { ...spec, kubeProxy: { mode: 'ipvs' }, calico })
    await pullByDigest('calico-system')
    await expectNeeded({
      [`${whole}: list nodes`]: 'denied',
      [`${whole}: list services`]: 'denied',
      [`${whole}: list daemonsets.apps`]: 'denied',
      [`${whole}: list felixconfigurations.crd.projectcalico.org`]: 'denied',
      [`${system}: list pods`]: 'denied',
      [`${calicoSystem}: list pods`]: 'denied',
      [`${system}: get configmaps kube-proxy-config`]: 'denied',
      [`${system}: get leases.coordination.k8s.io calico-ipvs-sync`]: 'denied',
    })
  }, 180_000)

  test('needs what tells the version where the image does not', async () => {
    const kept = (await cluster.request('GET', `${crd}/clusterinformations/default`)) as { spec: object }
    await removed(cluster, `${crd}/clusterinformations/default`)
    await expectNeeded({ [`${whole}: get installations.operator.tigera.io default`]: 'version' })
    const metadata = { name: 'default' }
    await cluster.request('POST', `${crd}/clusterinformations`, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'ClusterInformation',
      metadata,
      spec: kept.spec,
    })
    await removed(cluster, `${installation}/default`)
    await expectNeeded({ [`${whole}: get clusterinformations.crd.projectcalico.org default`]: 'version' })
  }, 120_000)

  test('needs the logs where times leave a doubt', async () => {
    await aSecond()
    await setKubeProxyMode(cluster, 'iptables')
    await aSecond()
    await restartKubeProxy(cluster)
    await expectNeeded({ [`${calicoSystem}: get pods/log`]: 'doubt' })
    await aSecond()
    await setKubeProxyMode(cluster, 'ipvs')
    await expectNeeded({ [`${system}: get pods/log`]: 'doubt' })
  }, 120_000)

  test('needs the Events where the logs tell nothing', async () => {
    await emptied(cluster)
    await populate(cluster, {
      ...spec,
      kubeProxy: { mode: 'ipvs' },
      calico: { version: 'v3.28.4', install: 'operator' },
    })
    await aSecond()
    await setKubeProxyMode(cluster, 'iptables')
    const pods = await items(cluster, kubeProxyPods)
    const names = pods.map(({ metadata }) => metadata.name)
    await setPodLogs(cluster, { namespace: 'kube-system', container: 'kube-proxy', pods: names }, ['nothing to tell'])
    await until('logs that tell nothing', async () => (await check()).nodes.every(({ mode }) => mode === 'unknown'))
    for (const name of nodeNames.slice(0, 2)) await warnOfIpvs(name)
    await expectNeeded({ 'Role/default/calico-ipvs-sync-viewer: list events': 'doubt' })
  }, 120_000)

  test('of a manifest install needs the ConfigMaps that configure it', async () => {
    await emptied(cluster)
    const calico = { version: 'v3.28.4', install: 'manifest' } as const
    await populate(cluster, { ...spec, kubeProxy: { mode: 'ipvs' }, calico })
    await likeKubeadm()
    await expectNeeded({
      [`${system}: get configmaps kube-proxy`]: 'denied',
      [`${system}: get configmaps kubernetes-services-endpoint`]: 'doubt',
      [`${system}: get configmaps calico-config`]: 'doubt',
    })
  }, 120_000)
})

/** What kube-proxy of Kubernetes 1.35 and newer says on its node when it starts in IPVS mode. */
const warnOfIpvs = (node: string) =>
  cluster.request('POST', '/api/v1/namespaces/default/events', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `ipvs-${node}`, namespace: 'default' },
    involvedObject: { kind: 'Node', name: node },
    reason: 'IPVSDeprecation',
    type: 'Warning',
    action: 'Starting',
    reportingComponent: 'kube-proxy',
    reportingInstance: `kube-proxy-${node}`,
    eventTime: new Date().toISOString().replace('Z', '000Z'),
    message: 'IPVS mode is deprecated',
  })

/** kube-proxy reads `config.conf` of the ConfigMap `kube-proxy`; calico-node takes its range from `calico-config`. */
const likeKubeadm = async (): Promise<void> => {
  const configMaps = '/api/v1/namespaces/kube-system/configmaps'
  await change(`${configMaps}/kube-proxy`, { data: { 'config.conf': configText('ipvs') } })
  const [apiVersion, kind, data] = ['v1', 'ConfigMap', { node_ports: '30000:32767' }]
  await cluster.request('POST', configMaps, { apiVersion, kind, metadata: { name: 'calico-config' }, data })
  await aSecond()
  const daemonSets = '/apis/apps/v1/namespaces/kube-system/daemonsets'
  const command = ['kube-proxy', '--config=/var/lib/kube-proxy-config/config.conf']
  const volumes = [{ name: 'config', configMap: { name: 'kube-proxy' } }]
  const proxy = { volumes, containers: [{ name: 'kube-proxy', command }] }
  await change(`${daemonSets}/kube-proxy`, { spec: { template: { spec: proxy } } })
  const valueFrom = { configMapKeyRef: { name: 'calico-config', key: 'node_ports' } }
  const containers = [{ name: 'calico-node', env: [{ name: 'FELIX_KUBENODEPORTRANGES', valueFrom }] }]
  await change(`${daemonSets}/calico-node`, { spec: { template: { spec: { containers } } } })
  for (const name of ['kube-proxy', 'calico-node']) await untilSettled(cluster, { namespace: 'kube-system', name })
}

describe('a plan by a viewer', () => {
  test('spares the node that answers the API server, and without each of these rights goes as if there were none', async () => {
    await emptied(cluster)
    const calico = { version: 'v3.28.4', install: 'operator' } as const
    await populate(cluster, { ...spec, kubeProxy: { mode: 'ipvs' }, calico })
    const canary = async () => {
      const { state, assessment } = await look(viewer, moved)
      return intentOf(assessment, await withWebhookNodes(viewer, state), policy).canary
    }
    expect(await canary()).toBe(nodeNames[0])
    await plantWebhook(cluster, nodeNames.slice(0, 1))
    expect(await canary()).toBe(nodeNames[1])
    for (const text of [
      'list validatingwebhookconfigurations.admissionregistration.k8s.io',
      'list mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'list endpointslices.discovery.k8s.io',
    ])
      expect(await without({ cluster, kube: viewer }, right(`${whole}: ${text}`), canary)).toBe(nodeNames[0])
    await uprootWebhook(cluster)
  }, 120_000)
})

const moved: ServiceRange = { min: 20000, max: 22767, source: 'flag' }
const rollOut = async (range?: ServiceRange): Promise<string> => {
  const told: string[] = []
  const { end, why } = await sync(
    {
      kube: operator,
      holder: 'test',
      leaseSeconds: 60,
      now: () => new Date(),
      tell: ({ what }) => void told.push(what),
      look: () => look(operator, range),
      sleep: () => new Promise((resolve) => setTimeout(resolve, 200)),
      waiting: () => undefined,
      interrupted: () => false,
    },
    policy,
  )
  return end === 'done' ? told.join(', ') : `${end}: ${why}`
}

/** The rollout does not come to its end and says which right is missing. */
const expectStopped = async (text: string, range?: ServiceRange): Promise<void> => {
  const { verb, resource } = right(text)
  const outcome = await without({ cluster, kube: operator }, right(text), () =>
    rollOut(range).catch((error: unknown) => `error: ${error instanceof Error ? error.message : String(error)}`),
  )
  expect({ text, outcome }).toEqual({
    text,
    outcome: expect.stringMatching(
      `^(error|blocked|halted).*(cannot ${verb} resource "${resource}"|denies: .*${verb} ${resource})`,
    ),
  })
}

const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
/** As it was before the rollout. */
const undo = async (path: string): Promise<void> => {
  await removed(cluster, lease)
  for (const { metadata } of await items(cluster, path)) {
    if (metadata.name !== 'default') await removed(cluster, `${path}/${metadata.name}`)
  }
  const annotations = { [rangeAnnotation]: null }
  await change(`${path}/default`, { metadata: { annotations }, spec: { kubeNodePortRanges: null } }, mergePatch)
}
const wholeRange =
  'rollout begins, override written, override written, value written to default, override removed, override removed, rollout finished'
const wholeRestart = 'rollout begins, calico-node restarted, calico-node restarted, rollout finished'

const podNames = async (namespace: string): Promise<string[]> =>
  (await items(cluster, `/api/v1/namespaces/${namespace}/pods?labelSelector=k8s-app%3Dcalico-node`)).map(
    ({ metadata }) => metadata.name,
  )

describe('a rollout by an operator', () => {
  test('of a range goes from the first override to the last clean-up, and stops without any of its rights', async () => {
    await emptied(cluster)
    const calico = { version: 'v3.28.4', install: 'operator' } as const
    await populate(cluster, { ...spec, kubeProxy: { mode: 'ipvs' }, calico })
    const writes = ['create', 'patch', 'delete'].map(
      (verb) => `${operatorOf(whole)}: ${verb} felixconfigurations.crd.projectcalico.org`,
    )
    const locks = ['create leases.coordination.k8s.io', 'patch leases.coordination.k8s.io calico-ipvs-sync']
    for (const text of [...writes, ...locks.map((it) => `${operatorOf(system)}: ${it}`)]) {
      await expectStopped(text, moved)
      await undo(felixPath)
    }
    expect(await rollOut(moved)).toBe(wholeRange)
    expect((await look(viewer, moved)).assessment.report.verdict).toBe('in-step')
  }, 240_000)

  test.each([
    ['operator', 'calico-system', operatorOf(calicoSystem)],
    ['manifest', 'kube-system', operatorOf(system)],
  ] as const)(
    'that restarts the pods of a Calico installed by %s needs to delete them',
    async (install, namespace, role) => {
      await emptied(cluster)
      await populate(cluster, { ...spec, kubeProxy: { mode: 'iptables' }, calico: { version: 'v3.21.6', install } })
      await aSecond()
      await setKubeProxyMode(cluster, 'ipvs')
      await aSecond()
      await restartKubeProxy(cluster)
      const before = await podNames(namespace)
      await expectStopped(`${role}: delete pods`)
      expect(await podNames(namespace)).toEqual(before)
      await removed(cluster, lease)
      expect(await rollOut()).toBe(wholeRestart)
      await setPodLogs(cluster, { namespace, container: 'calico-node' }, calicoNodeLog(true))
      const after = await podNames(namespace)
      expect(after.filter((name) => before.includes(name))).toEqual([])
    },
    180_000,
  )
})

test('where Calico serves projectcalico.org/v3 alone, the same rights in that group are enough and needed', async () => {
  await emptied(cluster)
  await populate(cluster, { ...spec, kubeProxy: { mode: 'ipvs' }, calico: { version: 'v3.32.0', install: 'operator' } })
  await pullByDigest('calico-system')
  await removed(cluster, `${installation}/default`)
  await servedNatively(cluster)
  await expectNeeded({
    [`${whole}: list felixconfigurations.projectcalico.org`]: 'denied',
    [`${whole}: get clusterinformations.projectcalico.org default`]: 'version',
  })
  for (const verb of ['create', 'patch', 'delete']) {
    await expectStopped(`${operatorOf(whole)}: ${verb} felixconfigurations.projectcalico.org`, moved)
    await undo('/apis/projectcalico.org/v3/felixconfigurations')
  }
  expect(await rollOut(moved)).toBe(wholeRange)
}, 240_000)

test('no right of the manifest was left untried', () => {
  expect([...tried].toSorted()).toEqual(rights.map(textOf).toSorted())
})
