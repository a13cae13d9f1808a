import assert from 'node:assert/strict'
import { type Behaviour, call, merge } from '../behaviour.ts'
import { configMap, created, felix, felixPath, namespaced } from '../objects.ts'

const modified = 'the object has been modified; please apply your changes to the latest version and try again'

export const patching: Behaviour[] = [
  {
    name: 'merges a patch: values come, null takes away',
    async run(cluster) {
      const path = `${felixPath}/patching-merge`
      await created(
        cluster,
        felixPath,
        felix('patching-merge', { healthPort: 1, debugPort: 2 }, { annotations: { a: '1' } }),
      )
      const change = { metadata: { annotations: { a: null, b: '2' } }, spec: { healthPort: null, debugPort: 3 } }
      const { status, json } = await merge(cluster, path, change)
      assert.equal(status, 200)
      assert.deepEqual(json.metadata.annotations, { b: '2' })
      assert.deepEqual([json.spec.healthPort, json.spec.debugPort], [undefined, 3])
    },
  },
  {
    name: 'forgets the map of annotations with its last entry',
    async run(cluster) {
      const path = `${felixPath}/patching-empty`
      await created(cluster, felixPath, felix('patching-empty', {}, { annotations: { a: '1' } }))
      const { json } = await merge(cluster, path, { metadata: { annotations: { a: null } } })
      assert.equal(json.metadata.annotations, undefined)
    },
  },
  {
    name: 'refuses a merge patch of another resource version, without causes',
    async run(cluster) {
      const path = `${felixPath}/patching-version`
      const { metadata } = await created(cluster, felixPath, felix('patching-version', {}))
      const patch = { metadata: { resourceVersion: metadata.resourceVersion, annotations: { turn: '1' } } }
      assert.equal((await merge(cluster, path, patch)).status, 200)
      const { status, json } = await merge(cluster, path, {
        metadata: { ...patch.metadata, annotations: { turn: '2' } },
      })
      assert.equal(status, 409)
      assert.deepEqual(json, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: `Operation cannot be fulfilled on felixconfigurations.crd.projectcalico.org "patching-version": ${modified}`,
        reason: 'Conflict',
        details: { name: 'patching-version', group: 'crd.projectcalico.org', kind: 'felixconfigurations' },
        code: 409,
      })
      const { json: kept } = await call(cluster, 'GET', path)
      assert.equal(kept.metadata.annotations.turn, '1')
    },
  },
  {
    name: 'refuses a strategic merge of a custom resource, and takes one of a built-in kind',
    async run(cluster) {
      const contentType = 'application/strategic-merge-patch+json'
      await created(cluster, felixPath, felix('patching-strategic', {}))
      const custom = await call(cluster, 'PATCH', `${felixPath}/patching-strategic`, {
        body: { spec: {} },
        contentType,
      })
      assert.deepEqual([custom.status, custom.json.reason], [415, 'UnsupportedMediaType'])
      const path = (await namespaced(cluster, 'patching-strategic'))('configmaps')
      await created(cluster, path, configMap('one', { a: '1' }))
      const builtin = await call(cluster, 'PATCH', `${path}/one`, { body: { data: { b: '2' } }, contentType })
      assert.deepEqual([builtin.status, builtin.json.data], [200, { a: '1', b: '2' }])
    },
  },
  {
    name: 'takes JSON patches, and none whose test fails',
    async run(cluster) {
      const contentType = 'application/json-patch+json'
      const path = `${felixPath}/patching-json`
      await created(cluster, felixPath, felix('patching-json', { healthPort: 1 }))
      const send = (body: unknown) => call(cluster, 'PATCH', path, { body, contentType })
      const set = { op: 'replace', path: '/spec/healthPort', value: 2 }
      const failed = await send([{ op: 'test', path: '/spec/healthPort', value: 9 }, set])
      assert.deepEqual([failed.status, failed.json.reason], [422, 'Invalid'])
      assert.equal((await send([{ op: 'test', path: '/spec/healthPort', value: 1 }, set])).json.spec.healthPort, 2)
      assert.equal((await send([{ op: 'remove', path: '/spec/nothing' }])).status, 422)
    },
  },
  {
    name: 'answers 404 to a patch of nothing, 415 to an unknown patch, 400 to a patch of the name',
    async run(cluster) {
      await created(cluster, felixPath, felix('patching-odd', {}))
      assert.equal((await merge(cluster, `${felixPath}/patching-nobody`, { spec: {} })).status, 404)
      const unknown = await call(cluster, 'PATCH', `${felixPath}/patching-odd`, { body: {}, contentType: 'text/odd' })
      assert.equal(unknown.status, 415)
      assert.equal((await merge(cluster, `${felixPath}/patching-odd`, { metadata: { name: 'other' } })).status, 400)
    },
  },
  {
    name: 'applies on the server: creates, updates, and tells a conflict by its owner and field',
    async run(cluster) {
      const contentType = 'application/apply-patch+yaml'
      const apply = (manager: string, spec: object, more = '') =>
        call(cluster, 'PATCH', `${felixPath}/patching-apply?fieldManager=${manager}${more}`, {
          body: felix('patching-apply', spec),
          contentType,
        })
      assert.equal((await apply('one', { logSeverityScreen: 'Info', healthPort: 1 })).status, 201)
      const conflict = await apply('two', { logSeverityScreen: 'Debug' })
      assert.equal(conflict.status, 409)
      assert.deepEqual(conflict.json.details.causes, [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.logSeverityScreen' },
      ])
      const forced = await apply('two', { logSeverityScreen: 'Debug' }, '&force=true')
      assert.deepEqual([forced.status, forced.json.spec.logSeverityScreen], [200, 'Debug'])
      const dropped = await apply('one', {})
      assert.deepEqual([dropped.json.spec.healthPort, dropped.json.spec.logSeverityScreen], [undefined, 'Debug'])
    },
  },
]
