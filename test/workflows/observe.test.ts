import { describe, expect, jest, test } from '@jest/globals'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { DaemonSetState, NodeState, PodState } from '../../shared/domain/cluster.ts'
import { failed, failureOf, type ReadFailure, read, valueOf } from '../../shared/domain/read.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'
import { configMapsToRead } from '../../shared/workflows/observe/config-maps.ts'
import { podLists } from '../../shared/workflows/observe/pods.ts'

const now = new Date('2026-11-23T05:00:00Z')
const identity = { name: 'prod' }
const failure = (kind: ReadFailure['kind'], object = 'x'): ReadFailure => ({ kind, object, message: 'why' })

const daemonSet = (role: DaemonSetState['role'], change: Partial<DaemonSetState> = {}): DaemonSetState => ({
  role,
  namespace: role === 'kube-proxy' ? 'kube-system' : 'calico-system',
  name: role,
  uid: `ds-${role}`,
  generation: 1,
  createdAt: '2026-01-01T00:00:00Z',
  labels: {},
  annotations: {},
  updateStrategy: { type: 'RollingUpdate' },
  selector: { 'k8s-app': role },
  template: { image: 'i', command: [], env: [], envFrom: [], configMapMounts: [], annotations: {} },
  status: { observedGeneration: 1, desired: 1, current: 1, updated: 1, ready: 1, unavailable: 0 },
  managedFields: [],
  ...change,
})
const kubeProxy = daemonSet('kube-proxy', {
  template: {
    ...daemonSet('kube-proxy').template,
    command: ['kube-proxy', '--config=/etc/p/config'],
    configMapMounts: [{ mountPath: '/etc/p/', configMap: 'kube-proxy-config' }],
  },
})
const node: NodeState = { name: 'n', labels: {}, createdAt: '2026-01-01T00:00:00Z', ready: true, unschedulable: false }
const pod = (role: PodState['role']): PodState => ({
  role,
  namespace: 'kube-system',
  name: `${role}-n`,
  uid: `${role}-n`,
  node: 'n',
  image: 'i',
  createdAt: '2026-01-01T00:00:00Z',
  startedAt: '2026-01-01T00:00:00Z',
  ready: true,
  restartCount: 0,
  env: [],
  envFrom: [],
})

/** A cluster in which everything can be read; reads of it can be replaced. Writes are not there at all. */
function fake(change: Partial<KubeClient> = {}): { kube: KubeClient; asked: string[] } {
  const asked: string[] = []
  const reads: Partial<KubeClient> = {
    version: async () => read('v1.36.3'),
    apis: async () => read(['crd.projectcalico.org/v1', 'operator.tigera.io/v1']),
    nodes: async () => read([node]),
    daemonSets: async () => read([kubeProxy, daemonSet('calico-node')]),
    pods: async ({ role }) => read([pod(role)]),
    configMap: async () =>
      read({
        data: { config: 'mode: ipvs' },
        createdAt: '2026-06-01T00:00:00Z',
        managedFields: [],
        labels: {},
        annotations: {},
      }),
    felixConfigurations: async () => read({ api: 'crd.projectcalico.org/v1', objects: [] }),
    clusterInformation: async () => read({ calicoVersion: 'v3.28.2' }),
    installation: async () => read({ annotations: {} }),
    nodePorts: async () => read([]),
    lease: async () => read(undefined),
    podLog: async () => read({ mode: 'ipvs' as const }),
    webhooks: async () => Promise.reject(new Error('a look has no business with webhooks')),
    servingNodes: async () => Promise.reject(new Error('a look has no business with webhooks')),
    ipvsDeprecations: async () => failed(failure('denied', 'Events')),
    proxyMode: async () => failed(failure('denied', '/proxyMode')),
    ...change,
  }
  const told = Object.entries(reads).map(([name, act]) => {
    const wrapped = (...args: unknown[]): unknown => {
      asked.push(name)
      return Reflect.apply(act, undefined, args)
    }
    return [name, wrapped]
  })
  return { kube: Object.fromEntries(told) as KubeClient, asked }
}

test('copies of kube-proxy that one label tells apart are listed together, everything else by itself', () => {
  const copy = daemonSet('kube-proxy', { uid: 'copy', selector: { 'k8s-app': 'kube-proxy-2' } })
  const twice = daemonSet('kube-proxy', { uid: 'twice', selector: { 'k8s-app': 'kube-proxy', pool: 'a' } })
  const windows = daemonSet('calico-node-windows')
  const { role, namespace } = kubeProxy
  expect(podLists([kubeProxy, copy, twice, daemonSet('calico-node'), windows])).toEqual([
    { role, namespace, selector: { 'k8s-app': ['kube-proxy', 'kube-proxy-2'] }, uid: ['ds-kube-proxy', 'copy'] },
    { role, namespace, selector: twice.selector, uid: 'twice' },
    { role: 'calico-node', namespace: 'calico-system', selector: { 'k8s-app': 'calico-node' }, uid: 'ds-calico-node' },
  ])
})

test('without a DaemonSet kube-proxy may be static pods, under either of their usual labels', () => {
  const proxies = podLists([daemonSet('calico-node')]).filter(({ role }) => role === 'kube-proxy')
  expect(proxies.map(({ selector }) => selector)).toEqual([{ 'k8s-app': 'kube-proxy' }, { component: 'kube-proxy' }])
  expect(podLists([])).toEqual([])
})

describe('a look at a cluster', () => {
  test('holds every section, as of the time it was given', async () => {
    const { kube } = fake()
    const eks = failed<never>(failure('denied', 'eks:DescribeCluster'))
    const givenServiceRange = { min: 1, max: 2, source: 'flag' as const }
    const state = await observe({ kube, identity, now, eks, givenServiceRange })
    expect(state).toMatchObject({
      schemaVersion: 1,
      cluster: identity,
      observedAt: '2026-11-23T05:00:00.000Z',
      eks,
      givenServiceRange,
      nodes: { value: [{ name: 'n' }] },
      pods: { value: [{ role: 'kube-proxy' }, { role: 'calico-node' }] },
      configMaps: { 'kube-system/kube-proxy-config': { value: {} } },
    })
  })

  test('asks side by side what does not depend on each other', async () => {
    let running = 0
    let most = 0
    const slow = async () => {
      most = Math.max(most, (running += 1))
      await new Promise((later) => setTimeout(later, 5))
      running -= 1
      return read([])
    }
    await observe({ kube: fake({ nodes: slow, daemonSets: slow, nodePorts: slow }).kube, identity, now })
    expect(most).toBe(3)
  })

  test('a list of nodes with none of those on which pods run is no answer, and may be one in a minute', async () => {
    const others = async () => read(Array.from({ length: 100 }, (_, at) => ({ ...node, name: `other-${at}` })))
    for (const nodes of [others, async () => read([])]) {
      const state = await observe({ kube: fake({ nodes }).kube, identity, now })
      expect(failureOf(state.nodes)).toMatchObject({ kind: 'unavailable', object: 'Nodes' })
      expect(failureOf(state.nodes)?.message).toMatch(/contains none of the nodes of the listed pods, for example n/)
    }
    const some = async () => read([node, { ...node, name: 'new' }])
    expect(valueOf((await observe({ kube: fake({ nodes: some }).kube, identity, now })).nodes)).toHaveLength(2)
  })

  test('reads a log only where times leave a doubt, and keeps a log that could not be read as such', async () => {
    const podLog = jest.fn<KubeClient['podLog']>().mockResolvedValue(failed(failure('denied', 'log')))
    const state = await observe({ kube: fake({ podLog }).kube, identity, now })
    // The ConfigMap was changed by nobody knows whom after the pods had started.
    expect(podLog.mock.calls.map(([{ name }]) => name)).toContain('kube-proxy-n')
    expect(state.logs['kube-system/kube-proxy-n']).toEqual({ failure: failure('denied', 'log') })
  })

  test('reads of a kube-proxy that does not run the log of the process before', async () => {
    const podLog = jest.fn<KubeClient['podLog']>().mockResolvedValue(read({ ended: 'E0102 bye' }))
    const { startedAt: _, ...dead } = { ...pod('kube-proxy'), waiting: 'CrashLoopBackOff', restartCount: 3 }
    const pods: KubeClient['pods'] = async ({ role }) => read([role === 'kube-proxy' ? dead : pod(role)])
    await observe({ kube: fake({ podLog, pods }).kube, identity, now })
    expect(podLog.mock.calls.map(([{ name, ended }]) => [name, ended])).toContainEqual(['kube-proxy-n', true])
  })

  test('reads all logs when told to', async () => {
    const state = await observe({ kube: fake().kube, identity, now, deep: true })
    expect(Object.keys(state.logs).toSorted()).toEqual(['kube-system/calico-node-n', 'kube-system/kube-proxy-n'])
  })
})

describe('a server that lets nobody in', () => {
  test.each(['unreachable', 'unauthenticated'] as const)(
    '(%s) is asked twice at most, and every section says why',
    async (kind) => {
      const { kube, asked } = fake({ apis: async () => failed(failure(kind, 'apis')) })
      const state = await observe({ kube, identity, now })
      expect(asked.toSorted()).toEqual(['apis', 'version'])
      expect(failureOf(state.nodes)).toEqual({ kind, object: 'Nodes', message: 'why' })
      expect(failureOf(state.felix)).toEqual({ kind, object: 'FelixConfigurations', message: 'why' })
      expect(state.configMaps).toEqual({})
    },
  )

  test('of the list of APIs alone is asked for each', async () => {
    const felixConfigurations = jest
      .fn<KubeClient['felixConfigurations']>()
      .mockResolvedValue(failed(failure('denied')))
    const state = await observe({
      kube: fake({ apis: async () => failed(failure('denied')), felixConfigurations }).kube,
      identity,
      now,
    })
    expect(felixConfigurations.mock.calls[0]?.[0]).toEqual(
      expect.arrayContaining(['projectcalico.org/v3', 'crd.projectcalico.org/v1']),
    )
    expect(valueOf(state.nodes)).toHaveLength(1)
  })
})

describe('one read that fails', () => {
  const denied = async () => failed<never>(failure('denied'))
  test.each([
    ['nodes', 'nodes'],
    ['felixConfigurations', 'felix'],
    ['clusterInformation', 'clusterInformation'],
    ['installation', 'installation'],
    ['nodePorts', 'nodePorts'],
    ['lease', 'rollout'],
    ['version', 'kubernetesVersion'],
  ] as const)('%s: the rest is seen all the same', async (method, section) => {
    const whole = await observe({ kube: fake().kube, identity, now })
    const state = await observe({ kube: fake({ [method]: denied }).kube, identity, now })
    expect(state[section]).toEqual({ failure: failure('denied') })
    if (section !== 'nodes') expect(state).toEqual({ ...whole, [section]: state[section] })
  })

  test('the DaemonSets: their pods are not known either', async () => {
    const state = await observe({ kube: fake({ daemonSets: denied }).kube, identity, now })
    expect([state.daemonSets, state.pods]).toEqual([{ failure: failure('denied') }, { failure: failure('denied') }])
  })

  test('one list of pods: the pods are not known, rather than fewer', async () => {
    const pods: KubeClient['pods'] = async ({ role }) => (role === 'kube-proxy' ? denied() : read([pod(role)]))
    const state = await observe({ kube: fake({ pods }).kube, identity, now })
    expect(state.pods).toEqual({ failure: failure('denied') })
  })
})

describe('the operator’s Installation', () => {
  const asks = async (namespace: string) => {
    const { kube, asked } = fake({ daemonSets: async () => read([kubeProxy, daemonSet('calico-node', { namespace })]) })
    await observe({ kube, identity, now })
    return asked.includes('installation')
  }
  test('is read where calico-node runs where the operator puts it', async () =>
    expect(await asks('calico-system')).toBe(true))
  test('is not worth a request where a manifest put it', async () => expect(await asks('kube-system')).toBe(false))
})

describe('the ConfigMaps worth a request', () => {
  const template = (change: Partial<DaemonSetState['template']>) => ({ template: { ...kubeProxy.template, ...change } })
  const mounts = [
    { mountPath: '/var/lib/kube-proxy/', configMap: 'kubeconfig' },
    { mountPath: '/var/lib/kube-proxy-config', configMap: 'kube-proxy-config' },
  ]
  test.each([
    ['--config=PATH', ['kube-proxy', '--config=/var/lib/kube-proxy-config/config'], ['kube-proxy-config']],
    ['--config PATH', ['kube-proxy', '--config', '/var/lib/kube-proxy-config/config'], ['kube-proxy-config']],
    [
      'in a shell',
      ['sh', '-c', 'exec kube-proxy --v=2 --config="/var/lib/kube-proxy-config/config"'],
      ['kube-proxy-config'],
    ],
    ['of a file nobody mounts', ['kube-proxy', '--config=/etc/other'], []],
    ['flags alone', ['kube-proxy', '--proxy-mode=ipvs'], []],
  ])('kube-proxy, %s', (_, command, names) => {
    const found = configMapsToRead([daemonSet('kube-proxy', template({ command, configMapMounts: mounts }))])
    expect(found.map(({ name }) => name)).toEqual(names)
  })

  test('calico-node: those its environment takes what counts from, each once', () => {
    const env = [
      { name: 'FELIX_IPINIPMTU', from: { configMap: 'calico-config', key: 'veth_mtu', optional: false } },
      { name: 'felix_KubeNodePortRanges', from: { configMap: 'ranges', key: 'r', optional: true } },
      { name: 'FELIX_IPTABLESMARKMASK', from: { configMap: 'ranges', key: 'm', optional: true } },
      { name: 'FELIX_BPFENABLED', from: { unknown: 'secretKeyRef' } },
    ]
    const envFrom = [{ configMap: 'endpoint', optional: true }]
    const found = configMapsToRead([daemonSet('calico-node', template({ env, envFrom, configMapMounts: mounts }))])
    expect(found).toEqual(['endpoint', 'ranges'].map((name) => ({ namespace: 'calico-system', name })))
  })
})
