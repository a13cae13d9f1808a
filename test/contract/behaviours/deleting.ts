import assert from 'node:assert/strict'
import { type Behaviour, call, merge } from '../behaviour.ts'
import { created, felix, felixPath } from '../objects.ts'

export const deleting: Behaviour[] = [
  {
    name: 'deletes an object and says which',
    async run(cluster) {
      const { metadata } = await created(cluster, felixPath, felix('deleting-one', {}))
      const { status, json } = await call(cluster, 'DELETE', `${felixPath}/deleting-one`)
      assert.deepEqual([status, json.status], [200, 'Success'])
      assert.deepEqual(json.details, {
        name: 'deleting-one',
        group: 'crd.projectcalico.org',
        kind: 'felixconfigurations',
        uid: metadata.uid,
      })
      assert.equal((await call(cluster, 'DELETE', `${felixPath}/deleting-one`)).status, 404)
    },
  },
  {
    name: 'deletes nothing of another uid or resource version',
    async run(cluster) {
      const path = `${felixPath}/deleting-guarded`
      const { metadata } = await created(cluster, felixPath, felix('deleting-guarded', {}))
      const uid = await call(cluster, 'DELETE', path, { body: { preconditions: { uid: 'another' } } })
      assert.equal(uid.status, 409)
      assert.equal(
        uid.json.message,
        `Operation cannot be fulfilled on FelixConfiguration.crd.projectcalico.org "deleting-guarded": the UID in the precondition (another) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
      )
      const version = await call(cluster, 'DELETE', path, { body: { preconditions: { resourceVersion: '1' } } })
      assert.deepEqual([version.status, version.json.reason], [409, 'Conflict'])
      const both = { uid: metadata.uid, resourceVersion: metadata.resourceVersion }
      assert.equal((await call(cluster, 'DELETE', path, { body: { preconditions: both } })).status, 200)
    },
  },
  {
    name: 'keeps an object until its last finalizer is gone',
    async run(cluster) {
      const path = `${felixPath}/deleting-final`
      await created(cluster, felixPath, felix('deleting-final', {}, { finalizers: ['contract.lab/hold'] }))
      const { status, json } = await call(cluster, 'DELETE', path)
      assert.equal(status, 200)
      assert.ok(json.metadata.deletionTimestamp)
      assert.ok((await call(cluster, 'GET', path)).json.metadata.deletionTimestamp)
      assert.equal((await merge(cluster, path, { metadata: { finalizers: null } })).status, 200)
      assert.equal((await call(cluster, 'GET', path)).status, 404)
    },
  },
  {
    name: 'keeps the object on a dry run',
    async run(cluster) {
      await created(cluster, felixPath, felix('deleting-dry', {}))
      assert.equal((await call(cluster, 'DELETE', `${felixPath}/deleting-dry?dryRun=All`)).status, 200)
      assert.equal((await call(cluster, 'GET', `${felixPath}/deleting-dry`)).status, 200)
    },
  },
]
