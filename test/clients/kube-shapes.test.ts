import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { envOf, isCalicoNode, repositoryOf, templateOf } from '../../shared/clients/kube/containers.ts'
import { daemonSetOf, ofTheCluster } from '../../shared/clients/kube/daemon-sets.ts'
import { userAgent } from '../../shared/clients/kube/http.ts'
import { metadataOf } from '../../shared/clients/kube/metadata.ts'
import { nodeOf, nodePortsOf } from '../../shared/clients/kube/nodes.ts'
import { podReader } from '../../shared/clients/kube/pods.ts'

const daemonSet = (container: object, { namespace = 'kube-system', labels = {}, spec = {} } = {}) => ({
  metadata: { name: 'any-name', namespace, uid: 'u' },
  spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'main', ...container }], ...spec } } },
})

describe('which program a DaemonSet runs', () => {
  test.each([
    [
      'EKS image',
      { image: '602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.33.3-minimal-eksbuild.2' },
      {},
      'kube-proxy',
    ],
    ['image by digest', { image: 'registry.k8s.io/kube-proxy@sha256:0123' }, {}, 'kube-proxy'],
    [
      'command of another image',
      { image: 'mirror/k8s:1', command: ['/usr/local/bin/kube-proxy', '--v=2'] },
      {},
      'kube-proxy',
    ],
    ['label alone', { image: 'mirror/a:1' }, { labels: { 'k8s-app': 'kube-proxy' } }, 'kube-proxy'],
    ['kube-proxy of another namespace', { image: 'kube-proxy:1' }, { namespace: 'default' }, undefined],
    [
      'kube-proxy for Windows',
      { image: 'sigwindowstools/kube-proxy:v1' },
      { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
      undefined,
    ],
    [
      'something that only mentions kube-proxy',
      { image: 'acme/kube-proxy-exporter:1', args: ['--watch=kube-proxy'] },
      {},
      undefined,
    ],
    [
      'operator install',
      { name: 'calico-node', image: 'quay.io/calico/node:v3.28.2' },
      { namespace: 'calico-system' },
      'calico-node',
    ],
    ['mirrored image with a port', { image: 'registry:5000/calico/node:v3.28.2' }, { namespace: 'x' }, 'calico-node'],
    ['Tigera’s image', { image: 'quay.io/tigera/cnx-node:v3.20' }, { namespace: 'x' }, 'calico-node'],
    [
      'calico-node’s label on something else',
      { image: 'acme/csi:1' },
      { labels: { 'k8s-app': 'calico-node' } },
      undefined,
    ],
    ['container name alone (canal)', { name: 'calico-node', image: 'mirror/a:1' }, {}, 'calico-node'],
    [
      'calico-node for Windows',
      { name: 'felix', image: 'calico/node-windows:v3.28.2' },
      { namespace: 'calico-system' },
      'calico-node-windows',
    ],
    [
      'CSI driver of Calico',
      { name: 'calico-csi', image: 'calico/csi:v3.28.2' },
      { namespace: 'calico-system' },
      undefined,
    ],
  ])('%s', (_, container, rest, role) => {
    expect(daemonSetOf(daemonSet(container, rest))?.role).toBe(role)
  })

  test('a calico-node that somebody runs in a namespace of theirs is not the cluster’s, unless there is no other', () => {
    const calico = (namespace: string) => daemonSetOf(daemonSet({ image: 'calico/node:v3.28.2' }, { namespace }))
    const sets = (...namespaces: string[]) => namespaces.flatMap((it) => calico(it) ?? [])
    const kept = (...namespaces: string[]) => ofTheCluster(sets(...namespaces)).map(({ namespace }) => namespace)
    expect(kept('team-a', 'calico-system')).toEqual(['calico-system'])
    expect(kept('kube-system', 'team-a', 'calico-system')).toEqual(['kube-system', 'calico-system'])
    expect(kept('team-a')).toEqual(['team-a'])
  })
})

test.each([
  ['602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1', 'eks/kube-proxy'],
  ['localhost/calico/node', 'calico/node'],
  ['calico/node:v3@sha256:0', 'calico/node'],
  ['node', 'node'],
])('the repository of %s is %s', (image, repository) => {
  expect(repositoryOf(image)).toBe(repository)
})

test('an image whose name only ends alike is not Calico', () => {
  expect(isCalicoNode({ image: 'acme/notcalico/node-exporter:1' })).toBe(false)
  expect(isCalicoNode({ image: 'acme/not-calico-node:1' })).toBe(false)
})

describe('the environment that is kept', () => {
  test('is Felix’ and Calico’s alone, in any case; secrets and other references are named and not resolved', () => {
    const env = [
      { name: 'AWS_SECRET_ACCESS_KEY', value: 'secret' },
      { name: 'felix_KubeNodePortRanges', value: '30000:32767' },
      { name: 'FELIX_EMPTY' },
      { name: 'FELIX_A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
      { name: 'FELIX_B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      { name: 7 },
    ]
    expect(envOf({ env })).toEqual([
      { name: 'felix_KubeNodePortRanges', value: '30000:32767' },
      { name: 'FELIX_EMPTY' },
      { name: 'FELIX_A', from: { configMap: 'c', key: 'k', optional: true } },
      { name: 'FELIX_B', from: { unknown: 'secretKeyRef' } },
    ])
  })
})

describe('where a ConfigMap is mounted', () => {
  const mounts = (volume: object, mount: object) => {
    const container = { name: 'kube-proxy', volumeMounts: [{ name: 'v', mountPath: '/etc/p', ...mount }] }
    return templateOf({ spec: { containers: [container], volumes: [{ name: 'v', ...volume }] } }, 'kube-proxy')
      .configMapMounts
  }
  test.each([
    ['whole', { configMap: { name: 'c' } }, {}, { mountPath: '/etc/p', configMap: 'c' }],
    [
      'by items',
      { configMap: { name: 'c', items: [{ key: 'k', path: 'f' }] } },
      {},
      { mountPath: '/etc/p', configMap: 'c', items: { k: 'f' } },
    ],
    [
      'projected',
      { projected: { sources: [{ secret: {} }, { configMap: { name: 'c' } }] } },
      {},
      { mountPath: '/etc/p', configMap: 'c' },
    ],
    [
      'one file',
      { configMap: { name: 'c' } },
      { mountPath: '/etc/p/f.conf', subPath: 'k' },
      { mountPath: '/etc/p', configMap: 'c', items: { k: 'f.conf' } },
    ],
    [
      'one file of items',
      { configMap: { name: 'c', items: [{ key: 'k', path: 's' }] } },
      { mountPath: '/etc/p/f.conf', subPath: 's' },
      { mountPath: '/etc/p', configMap: 'c', items: { k: 'f.conf' } },
    ],
  ])('%s', (_, volume, mount, expected) => {
    expect(mounts(volume, mount)).toEqual([expected])
  })
  test('other volumes are left out', () => {
    expect(mounts({ hostPath: { path: '/' } }, {})).toEqual([])
  })
})

describe('pods', () => {
  const pod = (name: string, { status = {}, owner = 'ds', spec = {} } = {}) => ({
    metadata: {
      name,
      namespace: 'kube-system',
      uid: name,
      ownerReferences: [{ kind: 'DaemonSet', uid: owner, controller: true }],
    },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'calico-node', image: 'calico/node:v3', env: [{ name: 'FELIX_A', value: '1' }] }],
      ...spec,
    },
    status,
  })
  const read = podReader({ role: 'calico-node', namespace: 'kube-system', selector: {}, uid: 'ds' })

  test('equal environments are one array, however many pods there are', () => {
    const [first, second] = [read(pod('a')), read(pod('b'))]
    expect(first?.env).toEqual([{ name: 'FELIX_A', value: '1' }])
    expect(second?.env).toBe(first?.env)
  })
  test('of another DaemonSet with the same labels are left out', () => {
    expect(read(pod('a', { owner: 'other' }))).toBeUndefined()
  })
  test('of no DaemonSet are none of calico-node, whatever their labels', () => {
    const bare = pod('a')
    bare.metadata.ownerReferences = []
    expect(read(bare)).toBeUndefined()
  })
  test('of kube-proxy are a static pod as well, with the flags that decide its mode', () => {
    const proxies = podReader({ role: 'kube-proxy', namespace: 'kube-system', selector: {}, uid: 'ds' })
    const command = ['kube-proxy', '--proxy-mode', 'ipvs', '--master=https://user:secret@host']
    const mirror = {
      ...pod('a', { spec: { nodeName: 'n', containers: [{ name: 'kube-proxy', command }] } }),
    }
    mirror.metadata.ownerReferences = [{ kind: 'Node', uid: 'node-uid', controller: true }]
    expect(proxies(mirror)).toMatchObject({ node: 'n', flags: ['--proxy-mode=ipvs'] })
    expect(proxies(mirror)).not.toHaveProperty('daemonSet')
    expect(proxies(pod('a', { owner: 'ds' }))).not.toHaveProperty('flags')
  })
  test('that have ended are left out: they run nothing', () => {
    expect(read(pod('a', { status: { phase: 'Failed', reason: 'Evicted' } }))).toBeUndefined()
  })
  test('that crash say so', () => {
    const status = {
      containerStatuses: [{ name: 'calico-node', restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    }
    expect(read(pod('a', { status }))).toMatchObject({ ready: false, restartCount: 3, waiting: 'CrashLoopBackOff' })
  })
  test('that no scheduler has bound yet belong to the node they are for', () => {
    const matchFields = [{ key: 'metadata.name', operator: 'In', values: ['n2'] }]
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } }
    expect(read(pod('a', { spec: { nodeName: undefined, affinity: { nodeAffinity } } }))).toMatchObject({ node: 'n2' })
  })
})

test('a pod limit may be written in thousands', () => {
  const limit = (pods: unknown) => nodeOf({ metadata: { name: 'n' }, status: { allocatable: { pods } } }).podsMax
  expect([limit('110'), limit('1k'), limit('1.5'), limit(110), limit(undefined)]).toEqual([
    110,
    1000,
    undefined,
    undefined,
    undefined,
  ])
})

describe('labels of Calico alone', () => {
  const calico = (text: string | undefined) => {
    const annotations = text === undefined ? {} : { 'projectcalico.org/labels': text }
    return nodeOf({ metadata: { name: 'n', labels: { zone: 'a' }, annotations } })
  }
  test.each([
    ['{"rack":"r1","zone":"b"}', { rack: 'r1' }],
    ['{"rack":null}', { rack: '' }],
    ['{"zone":"b"}', undefined],
    ['{"rack":"r1","size":7}', undefined],
    ['{"rack"', undefined],
    ['null', undefined],
    [undefined, undefined],
  ])('%s beside a label zone', (text, labels) => {
    expect(calico(text).calicoLabels).toEqual(labels)
    expect(calico(text).labels).toEqual({ zone: 'a' })
  })
})

test('what decides where a DaemonSet’s pods go is kept: selector, required affinity, tolerations, and the nodes’ taints', () => {
  const nodeSelectorTerms = [{ matchExpressions: [{ key: 'type', operator: 'NotIn', values: ['fargate'] }] }]
  const spec = {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    tolerations: [{ operator: 'Exists', key: '', effect: 'NoSchedule' }],
  }
  expect(daemonSetOf(daemonSet({ image: 'kube-proxy:1' }, { spec }))).toMatchObject({
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    affinity: [{ labels: [{ key: 'type', operator: 'NotIn', values: ['fargate'] }], fields: [] }],
    tolerations: [{ operator: 'Exists', effect: 'NoSchedule' }],
  })
  const plain = daemonSetOf(daemonSet({ image: 'kube-proxy:1' }))
  expect(plain).not.toHaveProperty('affinity')
  expect(plain).not.toHaveProperty('tolerations')
  const taints = [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }]
  const nodeInfo = { kernelVersion: '6.1.141' }
  expect(nodeOf({ metadata: { name: 'n' }, spec: { taints }, status: { nodeInfo } })).toMatchObject({
    taints,
    kernelVersion: '6.1.141',
  })
})

test('a Service holds its node ports and its health check’s', () => {
  const spec = {
    healthCheckNodePort: 32001,
    ports: [{ nodePort: 31000, protocol: 'SCTP' }, { port: 80 }, { nodePort: 0 }],
  }
  expect(nodePortsOf({ metadata: { name: 'w', namespace: 'd' }, spec })).toEqual([
    { port: 31000, service: 'd/w', field: 'nodePort', protocol: 'SCTP' },
    { port: 32001, service: 'd/w', field: 'healthCheckNodePort' },
  ])
})

test('what kubectl keeps of a manifest is not kept: it holds whole environments, secrets among them', () => {
  const annotations = { a: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '{"env":"secret"}' }
  expect(metadataOf({ metadata: { name: 'n', annotations } }).annotations).toEqual({ a: 'b' })
})

test('audit logs name the tool and its version', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(userAgent).toBe(`calico-ipvs-sync/${version}`)
})
