import { request } from 'node:https'
import type { LabCluster } from '../../lab/cluster.ts'
import { overrideKey, rangeAnnotation } from '../../shared/domain/rollout/annotations.ts'
import { felixPath, nodeNames } from '../truth/world.ts'

/** A request that RBAC lets pass and the guard must not. */
export interface Forgery {
  what: string
  policy: string
  /** The one validation that stands in its way. */
  rule: number
  /** The bearer token, which is the user's name. */
  by: string
  method: string
  path: string
  body?: object
}

export const copyKey = 'projectcalico.org/metadata'
const [own, foreign, free] = nodeNames.map((it) => `node.${it}`) as [string, string, string]
const pods = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'calico-ipvs-sync' } }
const made = { [overrideKey]: 'created' }

const felix = (name: string, spec: object = {}, more: object = {}) => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'FelixConfiguration',
  metadata: { name, ...more },
  spec,
})

const operators =
  (policy: string, rule: number) =>
  (what: string, method: string, path: string, body?: object): Forgery => ({
    what,
    policy,
    rule,
    by: 'operator',
    method,
    path,
    ...(body && { body }),
  })
const pod = operators('pods', 0)
const config = (rule: number) => operators('felixconfigurations', rule)
const annotated = (annotations: Record<string, string | null>) => ({ metadata: { annotations } })
const copyOf = (annotations: Record<string, string>) => JSON.stringify({ name: 'default', annotations })
const csi = (what: string, method: string, path: string, body?: object): Forgery => ({
  ...operators('lease', 0)(what, method, path, body),
  by: 'csi',
})

export const forgeries: Forgery[] = [
  pod('a bare pod is deleted', 'DELETE', `${pods('kube-system')}/coredns`),
  pod('a pod that only says it is calico-node is deleted', 'DELETE', `${pods('calico-system')}/calico-node-lookalike`),
  pod('kube-proxy is deleted', 'DELETE', `${pods('kube-system')}/kube-proxy-owned`),
  pod('a calico-node of another namespace is deleted', 'DELETE', `${pods('default')}/calico-node-elsewhere`),
  config(0)('default is deleted', 'DELETE', `${felixPath}/default`),
  config(0)('an object with a selector is deleted, though it bears the mark', 'DELETE', `${felixPath}/gpu-nodes`),
  config(0)('an override of somebody else is deleted', 'DELETE', `${felixPath}/${foreign}`),
  config(1)('an object with a selector is given a range', 'PATCH', `${felixPath}/gpu-nodes`, {
    spec: { kubeNodePortRanges: ['1:2'] },
  }),
  config(1)('an object of another name is created', 'POST', felixPath, felix('all-nodes', {}, { annotations: made })),
  config(2)('an override is created without the mark', 'POST', felixPath, felix(free)),
  config(2)('an override of somebody else is marked as ours', 'PATCH', `${felixPath}/${foreign}`, annotated(made)),
  config(3)('another field of default is changed', 'PATCH', `${felixPath}/default`, {
    spec: { logSeverityScreen: 'Fatal' },
  }),
  config(3)('another field of default is added', 'PATCH', `${felixPath}/default`, {
    spec: { failsafeInboundHostPorts: [] },
  }),
  config(3)('another field of default is removed', 'PATCH', `${felixPath}/default`, {
    spec: { logSeverityScreen: null },
  }),
  config(3)(
    'an override of ours turns eBPF on',
    'POST',
    felixPath,
    felix(free, { bpfEnabled: true }, { annotations: made }),
  ),
  config(4)(
    'another parameter is set by annotation',
    'PATCH',
    `${felixPath}/default`,
    annotated({ 'config.projectcalico.org/BPFEnabled': 'true' }),
  ),
  config(4)(
    'the range is set in another spelling',
    'PATCH',
    `${felixPath}/default`,
    annotated({ [rangeAnnotation.toLowerCase()]: '1:2' }),
  ),
  config(4)('an annotation of somebody else is removed', 'PATCH', `${felixPath}/default`, annotated({ note: null })),
  config(4)('a copy of the metadata is made up', 'PATCH', `${felixPath}/${own}`, annotated({ [copyKey]: '{}' })),
  config(5)(
    'another parameter is set in the copy of the metadata',
    'PATCH',
    `${felixPath}/default`,
    annotated({
      [copyKey]: copyOf({ note: 'mine', [rangeAnnotation]: '1:2', 'config.projectcalico.org/BPFEnabled': 'true' }),
    }),
  ),
  config(5)(
    'an annotation is removed from the copy',
    'PATCH',
    `${felixPath}/default`,
    annotated({ [copyKey]: copyOf({}) }),
  ),
  config(6)('default is given an owner that does not exist', 'PATCH', `${felixPath}/default`, {
    metadata: {
      ownerReferences: [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: '7c9f3c2e-0000-4000-8000-000000000000' },
      ],
    },
  }),
  config(6)('a label is set', 'PATCH', `${felixPath}/default`, { metadata: { labels: { team: 'x' } } }),
  config(6)(
    'an override is created with a finalizer',
    'POST',
    felixPath,
    felix(free, {}, { annotations: made, finalizers: ['example.com/x'] }),
  ),
  csi('a CSI driver creates our Lease', 'POST', leases, lease),
  csi('a CSI driver patches our Lease', 'PATCH', `${leases}/calico-ipvs-sync`, {
    metadata: { annotations: { 'calico-ipvs-sync/state': 'running' } },
  }),
  csi('a CSI driver deletes our Lease', 'DELETE', `${leases}/calico-ipvs-sync`),
]

const role = (name: string, namespace: string | undefined, rules: object[]) => ({
  path: `/apis/rbac.authorization.k8s.io/v1/${namespace ? `namespaces/${namespace}/roles` : 'clusterroles'}`,
  object: {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: namespace ? 'Role' : 'ClusterRole',
    metadata: { name },
    rules,
  },
})

/** Rights beyond the shipped ones, so that it is the guard that stands in the way, and those of others. */
export async function powers(cluster: LabCluster): Promise<void> {
  const rule = (apiGroups: string[], resources: string[], verbs: string[]) => ({ apiGroups, resources, verbs })
  const leaseVerbs = ['create', 'get', 'patch', 'delete']
  const given = [
    { group: 'calico-ipvs-sync-operators', namespace: 'default', rules: [rule([''], ['pods'], ['delete'])] },
    { group: 'csi', namespace: 'kube-system', rules: [rule(['coordination.k8s.io'], ['leases'], leaseVerbs)] },
    {
      group: 'people',
      rules: [
        rule(['coordination.k8s.io'], ['leases'], leaseVerbs),
        rule(['crd.projectcalico.org'], ['felixconfigurations'], ['patch']),
      ],
    },
    // As Kubernetes has it for its garbage collector: system:controller:generic-garbage-collector.
    { group: 'gc', rules: [rule(['*'], ['*'], ['delete', 'get', 'list', 'patch', 'update', 'watch'])] },
  ]
  for (const { group, namespace, rules } of given) {
    const { path, object } = role(`test-${group}`, namespace, rules)
    await cluster.request('POST', path, object)
    const kind = namespace ? 'RoleBinding' : 'ClusterRoleBinding'
    await cluster.request('POST', path.replace('roles', 'rolebindings'), {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { name: `test-${group}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: object.kind, name: object.metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
    })
  }
}

/** What the forgeries are aimed at. */
export async function plantTargets(cluster: LabCluster): Promise<void> {
  const daemonSet = (name: string) => ({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    name,
    uid: '7c9f3c2e-0000-4000-8000-000000000001',
    controller: true,
  })
  const plant = (namespace: string, name: string, ownerReferences: object[] = []) =>
    cluster.request('POST', pods(namespace), {
      apiVersion: 'v1',
      kind: 'Pod',
      // The garbage collector would take a pod whose owner is not there, but for this.
      metadata: { name, ownerReferences, finalizers: ['test/keep'] },
      spec: { nodeSelector: { nowhere: '' }, containers: [{ name: 'c', image: 'c' }] },
    })
  await plant('kube-system', 'coredns')
  await plant('calico-system', 'calico-node-lookalike', [{ ...daemonSet('calico-node'), controller: false }])
  await plant('kube-system', 'kube-proxy-owned', [daemonSet('kube-proxy')])
  await plant('default', 'calico-node-elsewhere', [daemonSet('calico-node')])
  const note = { note: 'mine' }
  const patch = {
    metadata: { annotations: { ...note, [copyKey]: copyOf({ ...note, [rangeAnnotation]: '30000:32767' }) } },
  }
  await cluster.request('PATCH', `${felixPath}/default`, patch, 'application/merge-patch+json')
  await cluster.request('POST', felixPath, felix('gpu-nodes', { nodeSelector: 'gpu == "yes"' }, { annotations: made }))
  await cluster.request('POST', felixPath, felix(foreign, { logSeverityScreen: 'Debug' }))
  await cluster.request('POST', felixPath, felix(own, {}, { annotations: made }))
  await cluster.request('POST', leases, lease)
}

export interface Asked {
  method: string
  path: string
  headers: Record<string, string>
  body?: object | undefined
}

/** That an object is there already is said after admission. */
const passed = (status = 0): boolean => status < 300 || status === 409

/** What the server said where it refused; `undefined`: it did as asked. */
export const answerTo = (
  { server, caData }: LabCluster,
  { method, path, headers, body }: Asked,
): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const ca = Buffer.from(caData, 'base64')
    const sent = request(new URL(path, server), { method, headers, ca }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(passed(response.statusCode) ? undefined : text))
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
  })
