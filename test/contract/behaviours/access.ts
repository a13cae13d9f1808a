import assert from 'node:assert/strict'
import type { LabCluster } from '../../../lab/cluster.ts'
import { type Behaviour, call } from '../behaviour.ts'
import { until } from '../../until.ts'
import { created, felix, felixPath, namespaced } from '../objects.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const apiVersion = 'rbac.authorization.k8s.io/v1'

/** Lets a group do something in the whole cluster, and waits until the server knows. */
async function grant(cluster: LabCluster, group: string, rules: object[]): Promise<void> {
  await created(cluster, `${rbac}/clusterroles`, { apiVersion, kind: 'ClusterRole', metadata: { name: group }, rules })
  await created(cluster, `${rbac}/clusterrolebindings`, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: group },
    subjects: [{ kind: 'Group', name: group, apiGroup: 'rbac.authorization.k8s.io' }],
    roleRef: { kind: 'ClusterRole', name: group, apiGroup: 'rbac.authorization.k8s.io' },
  })
}

const review = async (cluster: LabCluster, token: string, resourceAttributes: object): Promise<boolean> => {
  const { json } = await call(cluster, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    token,
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    },
  })
  return json.status.allowed
}

export const access: Behaviour[] = [
  {
    name: 'answers 401 to a token nobody has',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/api/v1/nodes', { token: 'made-up' })
      assert.deepEqual([status, json.message, json.reason], [401, 'Unauthorized', 'Unauthorized'])
    },
  },
  {
    name: 'answers 403 with user, verb, resource and scope',
    async run(cluster) {
      const token = 'token-of-nobody'
      const list = await call(cluster, 'GET', '/api/v1/nodes', { token })
      assert.equal(list.status, 403)
      assert.equal(
        list.json.message,
        'nodes is forbidden: User "nobody" cannot list resource "nodes" in API group "" at the cluster scope',
      )
      const get = await call(cluster, 'GET', '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy', { token })
      assert.equal(
        get.json.message,
        'daemonsets.apps "kube-proxy" is forbidden: User "nobody" cannot get resource "daemonsets" in API group "apps" in the namespace "kube-system"',
      )
      assert.deepEqual(get.json.details, { name: 'kube-proxy', group: 'apps', kind: 'daemonsets' })
      const log = await call(cluster, 'GET', '/api/v1/namespaces/kube-system/pods/one/log', { token })
      assert.match(log.json.message, /cannot get resource "pods\/log"/)
    },
  },
  {
    name: 'takes a request without a token for anonymous',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/api/v1/nodes', { token: null })
      assert.equal(status, 403)
      assert.match(json.message, /User "system:anonymous" cannot list/)
    },
  },
  {
    name: 'tells everybody its version, whoever is known its groups, nobody else its paths',
    async run(cluster) {
      assert.equal((await call(cluster, 'GET', '/version', { token: null })).status, 200)
      assert.equal((await call(cluster, 'GET', '/apis', { token: 'token-of-nobody' })).status, 200)
      assert.equal((await call(cluster, 'GET', '/apis', { token: null })).status, 403)
      const { status, json } = await call(cluster, 'GET', '/metrics', { token: 'token-of-nobody' })
      assert.deepEqual([status, json.message], [403, 'forbidden: User "nobody" cannot get path "/metrics"'])
    },
  },
  {
    name: 'lets a group do what its cluster role says and no more',
    async run(cluster) {
      await grant(cluster, 'contract-readers', [
        { apiGroups: ['crd.projectcalico.org'], resources: ['felixconfigurations'], verbs: ['get', 'list'] },
      ])
      const token = 'token-of-reader'
      await created(cluster, felixPath, felix('access-read', {}))
      await until('the role counts', async () => (await call(cluster, 'GET', felixPath, { token })).status === 200)
      assert.equal((await call(cluster, 'GET', `${felixPath}/access-read`, { token })).status, 200)
      const write = await call(cluster, 'PATCH', `${felixPath}/access-read`, {
        token,
        body: {},
        contentType: 'application/merge-patch+json',
      })
      assert.equal(write.status, 403)
      const attributes = { group: 'crd.projectcalico.org', resource: 'felixconfigurations' }
      assert.equal(await review(cluster, token, { ...attributes, verb: 'list' }), true)
      assert.equal(await review(cluster, token, { ...attributes, verb: 'patch' }), false)
    },
  },
  {
    name: 'keeps a role inside its namespace',
    async run(cluster) {
      const inside = await namespaced(cluster, 'access-inside')
      const metadata = { name: 'contract-namespaced' }
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]
      await created(cluster, inside('roles', rbac), { apiVersion, kind: 'Role', metadata, rules })
      await created(cluster, inside('rolebindings', rbac), {
        apiVersion,
        kind: 'RoleBinding',
        metadata,
        subjects: [{ kind: 'User', name: 'namespaced', apiGroup: 'rbac.authorization.k8s.io' }],
        roleRef: { kind: 'Role', name: metadata.name, apiGroup: 'rbac.authorization.k8s.io' },
      })
      const token = 'token-of-namespaced'
      await until(
        'the role counts',
        async () => (await call(cluster, 'GET', inside('configmaps'), { token })).status === 200,
      )
      assert.equal((await call(cluster, 'GET', '/api/v1/configmaps', { token })).status, 403)
      assert.equal((await call(cluster, 'GET', '/api/v1/namespaces/default/configmaps', { token })).status, 403)
    },
  },
  {
    name: 'keeps a role to the names it gives',
    async run(cluster) {
      const rule = {
        apiGroups: ['crd.projectcalico.org'],
        resources: ['felixconfigurations'],
        verbs: ['get', 'list', 'create'],
      }
      await grant(cluster, 'contract-named', [{ ...rule, resourceNames: ['access-named'] }])
      const token = 'token-of-named'
      await created(cluster, felixPath, felix('access-named', {}))
      const named = `${felixPath}/access-named`
      await until('the role counts', async () => (await call(cluster, 'GET', named, { token })).status === 200)
      assert.equal((await call(cluster, 'GET', `${felixPath}/access-other`, { token })).status, 403)
      assert.equal((await call(cluster, 'GET', felixPath, { token })).status, 403)
      const selecting = `${felixPath}?fieldSelector=metadata.name%3Daccess-named`
      assert.equal((await call(cluster, 'GET', selecting, { token })).status, 200)
      const body = felix('access-named', {})
      assert.equal((await call(cluster, 'POST', felixPath, { token, body })).status, 403)
    },
  },
  {
    name: 'tells a user who it is',
    async run(cluster) {
      const { status, json } = await call(cluster, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
        token: 'token-of-reader',
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      })
      assert.equal(status, 201)
      assert.equal(json.status.userInfo.username, 'reader')
      assert.deepEqual(json.status.userInfo.groups, ['contract-readers', 'system:authenticated'])
    },
  },
]
