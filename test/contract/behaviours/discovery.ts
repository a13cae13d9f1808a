import assert from 'node:assert/strict'
import { type Behaviour, call, type Json } from '../behaviour.ts'

export const discovery: Behaviour[] = [
  {
    name: 'tells its version as two numbers and a name',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/version')
      assert.equal(status, 200)
      assert.match(json.major, /^\d+$/)
      assert.match(json.minor, /^\d+$/)
      assert.match(json.gitVersion, /^v\d+\.\d+/)
    },
  },
  {
    name: 'says ok where it is ready, in plain text',
    async run(cluster) {
      const { status, text, headers } = await call(cluster, 'GET', '/readyz')
      assert.deepEqual([status, text], [200, 'ok'])
      assert.match(headers['content-type'] ?? '', /^text\/plain/)
    },
  },
  {
    name: 'lists the API groups it serves, and no others',
    async run(cluster) {
      const { json } = await call(cluster, 'GET', '/apis')
      assert.equal(json.kind, 'APIGroupList')
      const names = json.groups.map(({ name }: Json) => name)
      for (const group of ['apps', 'coordination.k8s.io', 'crd.projectcalico.org', 'operator.tigera.io']) {
        assert.ok(names.includes(group), `${group} is missing in ${names.join(' ')}`)
      }
      assert.ok(!names.includes('projectcalico.org'))
    },
  },
  {
    name: 'answers plain text 404 for a group that is not served',
    async run(cluster) {
      for (const path of [
        '/apis/projectcalico.org/v3',
        '/apis/projectcalico.org/v3/felixconfigurations',
        '/nonsense',
      ]) {
        const { status, text, headers } = await call(cluster, 'GET', path)
        assert.deepEqual([status, text], [404, '404 page not found\n'])
        assert.match(headers['content-type'] ?? '', /^text\/plain/)
      }
    },
  },
  {
    name: 'describes the resources of a group',
    async run(cluster) {
      const { json } = await call(cluster, 'GET', '/apis/apps/v1')
      const daemonSets = json.resources.find(({ name }: Json) => name === 'daemonsets')
      assert.equal(daemonSets.kind, 'DaemonSet')
      assert.equal(daemonSets.namespaced, true)
      for (const verb of ['get', 'list', 'watch', 'patch', 'update', 'create', 'delete']) {
        assert.ok(daemonSets.verbs.includes(verb))
      }
      assert.ok(json.resources.some(({ name }: Json) => name === 'daemonsets/status'))
    },
  },
  {
    name: 'does not take every method everywhere',
    async run(cluster) {
      const { status, json } = await call(cluster, 'PATCH', '/api/v1/namespaces/default/configmaps', {
        body: {},
        contentType: 'application/merge-patch+json',
      })
      assert.equal(status, 405)
      assert.equal(json.reason, 'MethodNotAllowed')
    },
  },
]
