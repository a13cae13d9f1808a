import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { LabCluster } from '../../lab/cluster.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { plantWebhook, uprootWebhook } from '../../lab/fixtures/webhooks.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { FelixObject, PodState } from '../../shared/domain/cluster.ts'
import { failed, failureOf, type Read, valueOf } from '../../shared/domain/read.ts'
import type { CalicoApi } from '../../shared/domain/report.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { withWebhookNodes } from '../../shared/workflows/observe/webhooks.ts'
import { connectionTo, embeddedCluster, realCluster, removeScratch } from './lab.ts'
import { until } from '../until.ts'

const api: CalicoApi = 'crd.projectcalico.org/v1'
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'

const known = <T>(read: Read<T>): T => {
  if ('failure' in read) throw new Error(`${read.failure.object}: ${read.failure.message}`)
  return read.value
}

describe.each([
  ['embedded', embeddedCluster],
  ['real', realCluster],
])('against the %s API server', (_, start) => {
  let cluster: LabCluster
  let kube: KubeClient

  beforeAll(async () => {
    cluster = await start()
    kube = kubeClient(connectionTo(cluster))
    await populate(cluster, {
      nodes: 3,
      kubernetesVersion: '1.36.3',
      kubeProxy: { mode: 'ipvs' },
      calico: { version: 'v3.28.2', install: 'operator', env: { FELIX_KUBENODEPORTRANGES: '30000:31000' } },
      services: [
        { metadata: { name: 'web' }, spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 31000 }] } },
        { metadata: { name: 'inside' }, spec: { ports: [{ port: 80 }] } },
      ],
    })
  }, 120_000)
  afterAll(async () => {
    kube?.close()
    await cluster?.stop()
    removeScratch()
  })

  const calicoPods = async (): Promise<PodState[]> =>
    known(await kube.pods({ role: 'calico-node', namespace: 'calico-system', selector: { 'k8s-app': 'calico-node' } }))
  const felixByName = async (name: string): Promise<FelixObject> => {
    const found = known(await kube.felixConfigurations([api])).objects.find((it) => it.name === name)
    if (!found) throw new Error(`no FelixConfiguration ${name}`)
    return found
  }

  test('a whole look takes at most twelve requests and sees what is there', async () => {
    const before = kube.calls()
    const state = await observe({ kube, identity: { name: 'c' }, now: new Date('2026-11-23T00:00:00Z') })
    expect(kube.calls() - before).toBeLessThanOrEqual(12)
    expect(state).toMatchObject({
      observedAt: '2026-11-23T00:00:00.000Z',
      kubernetesVersion: { value: 'v1.36.3' },
      rollout: { value: undefined },
    })
    expect(known(state.nodes).map(({ ready, podsMax }) => ({ ready, podsMax }))).toEqual(
      Array.from({ length: 3 }, () => ({ ready: true, podsMax: 29 })),
    )
    expect(
      known(state.daemonSets)
        .map(({ role, namespace }) => `${namespace}/${role}`)
        .toSorted(),
    ).toEqual(['calico-system/calico-node', 'kube-system/kube-proxy'])
    expect(known(state.pods)).toHaveLength(6)
    expect(known(state.clusterInformation)).toEqual({ calicoVersion: 'v3.28.2' })
    expect(known(state.installation)).toMatchObject({ calicoVersion: 'v3.28.2' })
    expect(known(state.nodePorts)).toEqual([
      { port: 31000, service: 'default/web', field: 'nodePort', protocol: 'TCP' },
    ])
    expect(known(state.felix)).toMatchObject({ api, objects: [{ name: 'default' }] })
    expect(Object.keys(state.configMaps)).toEqual(['kube-system/kube-proxy-config'])
    expect(valueOf(state.configMaps['kube-system/kube-proxy-config'])?.data['config']).toContain('mode: "ipvs"')
    expect(JSON.stringify(state)).not.toContain(cluster.adminToken)
  })

  test('pods come with what an assessment needs, and share their environment', async () => {
    const [first, second] = await calicoPods()
    expect(first).toMatchObject({ ready: true, restartCount: 0, image: 'quay.io/calico/node:v3.28.2' })
    for (const key of ['startedAt', 'readySince', 'revision', 'daemonSet'] as const) expect(first?.[key]).toBeTruthy()
    expect(first?.env).toContainEqual({ name: 'FELIX_KUBENODEPORTRANGES', value: '30000:31000' })
    expect(first?.env.some(({ name }) => !/^(FELIX|CALICO)_/.test(name))).toBe(false)
    expect(second?.env).toBe(first?.env)
  })

  test('logs are read for the one thing they prove', async () => {
    const [calico] = await calicoPods()
    const [proxy] = known(
      await kube.pods({ role: 'kube-proxy', namespace: 'kube-system', selector: { 'k8s-app': 'kube-proxy' } }),
    )
    if (!calico || !proxy) throw new Error('no pods')
    expect(known(await kube.podLog(proxy))).toMatchObject({ mode: 'ipvs', at: expect.stringMatching(/^20\d\d-.*Z$/) })
    expect(known(await kube.podLog(calico))).toMatchObject({
      felixIpvs: true,
      line: expect.stringContaining('enabling felix'),
    })
    expect(failureOf(await kube.podLog({ ...proxy, name: 'gone' }))).toMatchObject({ status: 404 })
  })

  test('what is not there is undefined, where it may be absent', async () => {
    expect(await kube.configMap('kube-system', 'nothing')).toEqual({ value: undefined })
    expect(await kube.lease()).toEqual({ value: undefined })
    expect(await kube.installation([])).toEqual({ value: undefined })
  })

  test('Calico’s definitions missing is a failure of its own, not "no objects"', async () => {
    expect(failureOf(await kube.felixConfigurations([]))).toMatchObject({ kind: 'unavailable', status: 404 })
    expect(failureOf(await kube.felixConfigurations(['projectcalico.org/v3']))).toMatchObject({
      kind: 'unavailable',
      status: 404,
    })
  })

  test('where v3 is listed and does not answer, the stored objects are read and v3’s failure kept', async () => {
    const read = known(await kube.felixConfigurations(['projectcalico.org/v3', api]))
    expect(read).toMatchObject({ api, v3Failure: { status: 404 }, objects: [{ name: 'default' }] })
  })

  test('the Lease is created once, changed only at its version, and keeps what is not named', async () => {
    const made = await kube.putLease({
      holder: 'me',
      renewedAt: '2026-11-23T04:54:40.123Z',
      leaseSeconds: 60,
      annotations: { a: '1', b: '2' },
    })
    expect(made).toMatchObject({
      holder: 'me',
      renewedAt: '2026-11-23T04:54:40.123000Z',
      leaseSeconds: 60,
      annotations: { a: '1', b: '2' },
    })
    await expect(kube.putLease({ holder: 'other' })).rejects.toMatchObject({
      kind: 'conflict',
      reason: 'AlreadyExists',
    })
    const { resourceVersion } = made
    const changed = await kube.putLease({ resourceVersion, holder: null, annotations: { a: null, c: '3' } })
    expect(changed.annotations).toEqual({ b: '2', c: '3' })
    expect(changed.holder).toBeUndefined()
    await expect(kube.putLease({ resourceVersion, holder: 'late' })).rejects.toMatchObject({
      kind: 'conflict',
      status: 409,
    })
    expect(known(await kube.lease())).toEqual(changed)
    await cluster.request('DELETE', lease)
  })

  test('a FelixConfiguration is created, dry or for good, under our name', async () => {
    const draft = {
      name: 'node.n1',
      annotations: { [rangeKey]: '20000:32767' },
      spec: { kubeNodePortRanges: ['20000:32767'] },
    }
    const dry = await kube.createFelix(api, draft, { dryRun: true })
    expect(dry.annotations[rangeKey]).toBe('20000:32767')
    await expect(felixByName('node.n1')).rejects.toThrow()
    const made = await kube.createFelix(api, draft)
    expect(made.spec['kubeNodePortRanges']).toEqual(['20000:32767'])
    expect(made.managedFields.map(({ manager }) => manager)).toContain('calico-ipvs-sync')
    await expect(kube.createFelix(api, draft)).rejects.toMatchObject({ kind: 'conflict' })
  })

  test('a patch changes what it names, at the version that was read, and nothing unknown', async () => {
    const { resourceVersion, spec } = await felixByName('default')
    const metadata = { annotations: { [rangeKey]: '30000:32767' } }
    const patched = await kube.patchFelix(api, {
      name: 'default',
      resourceVersion,
      metadata,
      spec: { kubeNodePortRanges: ['30000:32767'] },
    })
    expect(patched.spec).toEqual({ ...spec, kubeNodePortRanges: ['30000:32767'] })
    await expect(kube.patchFelix(api, { name: 'default', resourceVersion, metadata })).rejects.toMatchObject({
      kind: 'conflict',
    })
    const next = { name: 'default', resourceVersion: patched.resourceVersion }
    await expect(kube.patchFelix(api, { ...next, spec: { nonsense: 1 } })).rejects.toMatchObject({
      status: 422,
      kind: 'invalid',
      message: expect.stringMatching(/unknown field.*spec\.nonsense/),
    })
    const dry = await kube.patchFelix(
      api,
      { ...next, metadata: { annotations: { [rangeKey]: null } } },
      { dryRun: true },
    )
    expect(dry.annotations).toEqual({})
    expect((await felixByName('default')).annotations[rangeKey]).toBe('30000:32767')
  })

  test('deletes name the very object; gone already is told apart', async () => {
    const { name, uid, resourceVersion } = await kube.createFelix(api, { name: 'node.n9', spec: {} })
    await expect(kube.deleteFelix(api, { name, uid, resourceVersion: '1' })).rejects.toMatchObject({ kind: 'conflict' })
    expect(await kube.deleteFelix(api, { name, uid, resourceVersion })).toBe(true)
    expect(await kube.deleteFelix(api, { name, uid, resourceVersion })).toBe(false)
  })

  test('a pod is deleted by its UID: its successor of the same name would be left alone', async () => {
    const [pod] = await calicoPods()
    if (!pod) throw new Error('no pod')
    const { namespace, name, uid } = pod
    expect(await kube.deletePod({ namespace, name, uid: 'another' })).toBe(false)
    expect((await calicoPods()).some((it) => it.uid === uid && it.deletedAt === undefined)).toBe(true)
    expect(await kube.deletePod({ namespace, name, uid })).toBe(true)
    await until('the answer', async () => (await calicoPods()).filter((it) => it.ready && it.uid !== uid).length === 3)
    expect(await kube.deletePod({ namespace, name, uid })).toBe(false)
  })

  test('webhooks that answer for our writes are found with their nodes, in three requests that a look does not make', async () => {
    const [node = ''] = known(await kube.nodes()).map(({ name }) => name)
    await plantWebhook(cluster, [node, node])
    const state = await observe({ kube, identity: { name: 'c' }, now: new Date() })
    expect(state).not.toHaveProperty('webhookNodes')
    const before = kube.calls()
    const whole = await withWebhookNodes(kube, state)
    expect(kube.calls() - before).toBe(3)
    expect(whole.webhookNodes).toEqual({ value: [node] })
    expect(await withWebhookNodes(kube, whole)).toBe(whole)
    expect(kube.calls() - before).toBe(3)
    await uprootWebhook(cluster)
    expect(known((await withWebhookNodes(kube, state)).webhookNodes ?? failed({} as never))).toEqual([])
  })

  test('the server says what we may', async () => {
    expect(await kube.mayI({ verb: 'delete', group: '', resource: 'pods', namespace: 'calico-system' })).toEqual({
      value: true,
    })
  })

  test('an API server that is gone fails the whole look at once, section by section', async () => {
    await cluster.suspend()
    const before = kube.calls()
    const state = await observe({ kube, identity: { name: 'c' }, now: new Date() })
    expect(kube.calls() - before).toBeLessThanOrEqual(4)
    const { nodes, daemonSets, pods, felix, nodePorts, rollout } = state
    for (const read of [nodes, daemonSets, pods, felix, nodePorts, rollout])
      expect(failureOf(read)).toMatchObject({ kind: 'unreachable' })
    expect(failureOf(felix)?.object).toBe('FelixConfigurations')
    await cluster.resume()
    await until('the answer', async () => 'value' in (await kube.nodes()))
  })
})
