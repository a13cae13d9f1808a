import assert from 'node:assert/strict'
import { type Behaviour, call, merge } from '../behaviour.ts'
import { configMap, created, felix, felixPath, namespaced } from '../objects.ts'

export const writing: Behaviour[] = [
  {
    name: 'gives a new object its identity, times in whole seconds',
    async run(cluster) {
      const { metadata } = await created(cluster, felixPath, felix('writing-identity', { logSeverityScreen: 'Info' }))
      assert.match(metadata.uid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.match(metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
      assert.match(metadata.resourceVersion, /^\d+$/)
      assert.equal(metadata.generation, 1)
    },
  },
  {
    name: 'refuses a second object of the name',
    async run(cluster) {
      const path = (await namespaced(cluster, 'writing-twice'))('configmaps')
      await created(cluster, path, configMap('one', {}))
      const { status, json } = await call(cluster, 'POST', path, { body: configMap('one', {}) })
      assert.deepEqual([status, json.reason, json.message], [409, 'AlreadyExists', 'configmaps "one" already exists'])
    },
  },
  {
    name: 'refuses an object in a namespace that is not there',
    async run(cluster) {
      const path = '/api/v1/namespaces/writing-nowhere/configmaps'
      const { status, json } = await call(cluster, 'POST', path, { body: configMap('one', {}) })
      assert.deepEqual([status, json.message], [404, 'namespaces "writing-nowhere" not found'])
    },
  },
  {
    name: 'refuses a name that is none',
    async run(cluster) {
      const path = (await namespaced(cluster, 'writing-names'))('configmaps')
      const { status, json } = await call(cluster, 'POST', path, { body: configMap('Not_A_Name', {}) })
      assert.deepEqual([status, json.reason, json.details.causes[0].field], [422, 'Invalid', 'metadata.name'])
    },
  },
  {
    name: 'makes a name where only its beginning is given',
    async run(cluster) {
      const path = (await namespaced(cluster, 'writing-generated'))('configmaps')
      const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } }
      assert.match((await created(cluster, path, body)).metadata.name, /^made-[a-z0-9]{5}$/)
    },
  },
  {
    name: 'stores nothing on a dry run',
    async run(cluster) {
      const dry = await call(cluster, 'POST', `${felixPath}?dryRun=All`, { body: felix('writing-dry', {}) })
      assert.equal(dry.status, 201)
      assert.ok(dry.json.metadata.uid)
      assert.equal((await call(cluster, 'GET', `${felixPath}/writing-dry`)).status, 404)
    },
  },
  {
    name: 'counts generations by changes of the specification alone',
    async run(cluster) {
      const path = `${felixPath}/writing-generation`
      await created(cluster, felixPath, felix('writing-generation', { healthPort: 1 }))
      const annotated = await merge(cluster, path, { metadata: { annotations: { a: 'b' } } })
      assert.equal(annotated.json.metadata.generation, 1)
      const changed = await merge(cluster, path, { spec: { healthPort: 2 } })
      assert.equal(changed.json.metadata.generation, 2)
    },
  },
  {
    name: 'keeps the resource version where a write changes nothing',
    async run(cluster) {
      const path = `${felixPath}/writing-same`
      const before = await created(cluster, felixPath, felix('writing-same', { healthPort: 1 }))
      const after = await merge(cluster, path, { spec: { healthPort: 1 } })
      assert.equal(after.json.metadata.resourceVersion, before.metadata.resourceVersion)
    },
  },
  {
    name: 'replaces a custom resource only where its version is named',
    async run(cluster) {
      const path = `${felixPath}/writing-put`
      const { metadata } = await created(cluster, felixPath, felix('writing-put', { healthPort: 1 }))
      const blind = await call(cluster, 'PUT', path, { body: felix('writing-put', { healthPort: 2 }) })
      assert.deepEqual([blind.status, blind.json.details.causes[0].field], [422, 'metadata.resourceVersion'])
      const { resourceVersion } = metadata
      const seen = await call(cluster, 'PUT', path, {
        body: felix('writing-put', { healthPort: 2 }, { resourceVersion }),
      })
      assert.deepEqual([seen.status, seen.json.spec.healthPort], [200, 2])
      const stale = await call(cluster, 'PUT', path, {
        body: felix('writing-put', { healthPort: 3 }, { resourceVersion }),
      })
      assert.deepEqual([stale.status, stale.json.reason], [409, 'Conflict'])
    },
  },
  {
    name: 'refuses a body that is not JSON',
    async run(cluster) {
      const { status, json } = await call(cluster, 'POST', felixPath, { body: '{bad' })
      assert.deepEqual([status, json.reason], [400, 'BadRequest'])
    },
  },
  {
    name: 'keeps leases, and none without a duration',
    async run(cluster) {
      const path = (await namespaced(cluster, 'writing-leases'))('leases', '/apis/coordination.k8s.io/v1')
      const lease = (name: string, leaseDurationSeconds: number) => ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name },
        spec: { holderIdentity: 'me', leaseDurationSeconds, renewTime: '2026-01-01T00:00:00.000000Z' },
      })
      const { metadata, spec } = await created(cluster, path, lease('held', 5))
      assert.equal(spec.renewTime, '2026-01-01T00:00:00.000000Z')
      const mine = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { holderIdentity: 'you' } }
      assert.equal((await merge(cluster, `${path}/held`, mine)).status, 200)
      assert.equal((await merge(cluster, `${path}/held`, mine)).status, 409)
      const refused = await call(cluster, 'POST', path, { body: lease('empty', 0) })
      assert.deepEqual([refused.status, refused.json.details.causes[0].field], [422, 'spec.leaseDurationSeconds'])
    },
  },
]
