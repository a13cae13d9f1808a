import assert from 'node:assert/strict'
import { type Behaviour, call, type Json, merge } from '../behaviour.ts'
import { nextSecond } from '../../until.ts'
import { configMap, created, felix, felixPath, namespaced } from '../objects.ts'

const entryOf = (object: Json, manager: string): Json =>
  object.metadata.managedFields.find((entry: Json) => entry.manager === manager)

export const managedFields: Behaviour[] = [
  {
    name: 'records who owns which field of a custom resource',
    async run(cluster) {
      const path = `${felixPath}/managed-custom`
      await created(cluster, `${felixPath}?fieldManager=first`, felix('managed-custom', { logSeverityScreen: 'Info' }))
      const change = { metadata: { annotations: { 'config.projectcalico.org/X': '1' } }, spec: { healthPort: 9 } }
      const { json } = await merge(cluster, `${path}?fieldManager=second`, change)
      const first = entryOf(json, 'first')
      assert.deepEqual(
        [first.operation, first.apiVersion, first.fieldsType],
        ['Update', 'crd.projectcalico.org/v1', 'FieldsV1'],
      )
      assert.deepEqual(first.fieldsV1, { 'f:spec': { '.': {}, 'f:logSeverityScreen': {}, 'f:nftablesMode': {} } })
      assert.deepEqual(entryOf(json, 'second').fieldsV1, {
        'f:metadata': { 'f:annotations': { '.': {}, 'f:config.projectcalico.org/X': {} } },
        'f:spec': { 'f:healthPort': {} },
      })
    },
  },
  {
    name: 'hands a changed key of a ConfigMap to who changed it, with the time of the change',
    async run(cluster) {
      const path = (await namespaced(cluster, 'managed-config'))('configmaps')
      await created(cluster, `${path}?fieldManager=installer`, configMap('one', { config: 'mode: ""', other: 'x' }))
      await nextSecond()
      const changed = await merge(cluster, `${path}/one?fieldManager=eks`, { data: { config: 'mode: "ipvs"' } })
      const [installer, eks] = [entryOf(changed.json, 'installer'), entryOf(changed.json, 'eks')]
      assert.deepEqual(installer.fieldsV1['f:data'], { '.': {}, 'f:other': {} })
      assert.deepEqual(eks.fieldsV1, { 'f:data': { 'f:config': {} } })
      assert.ok(Date.parse(eks.time) > Date.parse(installer.time), `${eks.time} is not after ${installer.time}`)
      await nextSecond()
      const labelled = await merge(cluster, `${path}/one?fieldManager=kubectl`, { metadata: { labels: { a: 'b' } } })
      assert.equal(entryOf(labelled.json, 'eks').time, eks.time)
      await nextSecond()
      const again = await merge(cluster, `${path}/one?fieldManager=eks`, { data: { config: 'mode: "iptables"' } })
      assert.ok(Date.parse(entryOf(again.json, 'eks').time) > Date.parse(eks.time))
    },
  },
  {
    name: 'names the program of the user agent where no manager is named',
    async run(cluster) {
      const path = (await namespaced(cluster, 'managed-agent'))('configmaps')
      const object = await created(cluster, path, configMap('one', { a: 'b' }))
      assert.ok(entryOf(object, 'contract'))
    },
  },
  {
    name: 'owns nothing that is gone',
    async run(cluster) {
      const path = `${felixPath}/managed-gone`
      await created(cluster, `${felixPath}?fieldManager=first`, felix('managed-gone', { healthPort: 1 }))
      await merge(cluster, `${path}?fieldManager=second`, { metadata: { annotations: { a: 'b' } } })
      const { json } = await merge(cluster, `${path}?fieldManager=third`, { metadata: { annotations: { a: null } } })
      assert.equal(entryOf(json, 'second'), undefined)
      assert.equal(entryOf(json, 'third'), undefined)
      assert.ok(entryOf(json, 'first'))
    },
  },
  {
    name: 'tells an applied field from an updated one',
    async run(cluster) {
      const applied = await call(cluster, 'PATCH', `${felixPath}/managed-applied?fieldManager=argocd-controller`, {
        body: felix('managed-applied', { healthPort: 1 }),
        contentType: 'application/apply-patch+yaml',
      })
      const entry = entryOf(applied.json, 'argocd-controller')
      assert.deepEqual([entry.operation, entry.fieldsV1], ['Apply', { 'f:spec': { 'f:healthPort': {} } }])
      const { json } = await merge(cluster, `${felixPath}/managed-applied?fieldManager=hand`, {
        spec: { healthPort: 2 },
      })
      assert.equal(entryOf(json, 'argocd-controller'), undefined)
      assert.deepEqual(entryOf(json, 'hand').fieldsV1, { 'f:spec': { 'f:healthPort': {} } })
    },
  },
]
