import assert from 'node:assert/strict'
import { type Behaviour, call, merge } from '../behaviour.ts'
import { created, felix, felixPath } from '../objects.ts'

const int32 = 'Checked value must be of type integer with format int32 in spec.iptablesMarkMask'

export const customResources: Behaviour[] = [
  {
    name: 'fills schema defaults into what it stores',
    async run(cluster) {
      const { spec } = await created(
        cluster,
        felixPath,
        felix('custom-default', { kubeNodePortRanges: ['30000:32767'] }),
      )
      assert.deepEqual(spec, { kubeNodePortRanges: ['30000:32767'], nftablesMode: 'Auto' })
    },
  },
  {
    name: 'shows the defaults on a dry run too',
    async run(cluster) {
      const { json } = await call(cluster, 'POST', `${felixPath}?dryRun=All`, { body: felix('custom-dry', {}) })
      assert.deepEqual(json.spec, { nftablesMode: 'Auto' })
    },
  },
  {
    name: 'keeps what is given instead of a default',
    async run(cluster) {
      const { spec } = await created(cluster, felixPath, felix('custom-given', { nftablesMode: 'Disabled' }))
      assert.equal(spec.nftablesMode, 'Disabled')
    },
  },
  {
    name: 'refuses masks above int32 and takes negative ones',
    async run(cluster) {
      const body = felix('custom-mask', { iptablesMarkMask: 0xffff0000 })
      const { status, json } = await call(cluster, 'POST', felixPath, { body })
      assert.deepEqual([status, json.reason], [422, 'Invalid'])
      const problem = `Invalid value: "": ${int32}`
      assert.equal(json.message, `FelixConfiguration.crd.projectcalico.org "custom-mask" is invalid: <nil>: ${problem}`)
      assert.deepEqual(json.details.causes, [{ reason: 'FieldValueInvalid', message: problem, field: '<nil>' }])
      const stored = await created(cluster, felixPath, felix('custom-mask', { iptablesMarkMask: -65536 }))
      assert.equal(stored.spec.iptablesMarkMask, -65536)
      assert.equal(
        (await merge(cluster, `${felixPath}/custom-mask`, { spec: { iptablesMarkMask: 2 ** 31 } })).status,
        422,
      )
    },
  },
  {
    name: 'takes any text or number as a port range, and as many as are given',
    async run(cluster) {
      const kubeNodePortRanges = ['nonsense', '30000-32767', 31000, '1:2', '3:4', '5:6', '7:8', '9:10']
      const { spec } = await created(cluster, felixPath, felix('custom-ranges', { kubeNodePortRanges }))
      assert.deepEqual(spec.kubeNodePortRanges, kubeNodePortRanges)
    },
  },
  {
    name: 'refuses values of another type by field',
    async run(cluster) {
      const body = felix('custom-type', { kubeNodePortRanges: '30000:32767' })
      const { status, json } = await call(cluster, 'POST', felixPath, { body })
      assert.deepEqual([status, json.details.causes[0].field], [422, 'spec.kubeNodePortRanges'])
      assert.equal(json.details.causes[0].reason, 'FieldValueTypeInvalid')
      const choice = await call(cluster, 'POST', felixPath, {
        body: felix('custom-type', { logSeverityScreen: 'Loud' }),
      })
      assert.deepEqual([choice.status, choice.json.details.causes[0].field], [422, 'spec.logSeverityScreen'])
    },
  },
  {
    name: 'drops unknown fields with a warning',
    async run(cluster) {
      const { json, headers } = await call(cluster, 'POST', felixPath, { body: felix('custom-pruned', { unheard: 1 }) })
      assert.equal(json.spec.unheard, undefined)
      assert.match(String(headers['warning']), /unknown field \\?"spec\.unheard\\?"/)
    },
  },
  {
    name: 'refuses unknown fields under strict validation: 400 to a create, 422 to a patch',
    async run(cluster) {
      const strict = 'fieldValidation=Strict'
      const body = felix('custom-strict', { unheard: 1 })
      const post = await call(cluster, 'POST', `${felixPath}?${strict}`, { body })
      assert.deepEqual([post.status, post.json.reason], [400, 'BadRequest'])
      assert.match(post.json.message, /strict decoding error: unknown field "spec.unheard"$/)
      await created(cluster, felixPath, felix('custom-strict', {}))
      const patch = await merge(cluster, `${felixPath}/custom-strict?${strict}`, { spec: { unheard: 1 } })
      assert.deepEqual([patch.status, patch.json.reason, patch.json.details.causes[0].field], [422, 'Invalid', 'patch'])
    },
  },
  {
    name: 'sets the status of an Installation by its own path alone',
    async run(cluster) {
      const path = '/apis/operator.tigera.io/v1/installations'
      const body = {
        apiVersion: 'operator.tigera.io/v1',
        kind: 'Installation',
        metadata: { name: 'custom-status' },
        spec: { variant: 'Calico' },
        status: { calicoVersion: 'v0' },
      }
      assert.equal((await created(cluster, path, body)).status, undefined)
      const set = await merge(cluster, `${path}/custom-status/status`, {
        status: { calicoVersion: 'v3.28.2' },
        spec: { variant: 'Other' },
      })
      assert.deepEqual([set.json.status, set.json.spec], [{ calicoVersion: 'v3.28.2' }, { variant: 'Calico' }])
      const kept = await merge(cluster, `${path}/custom-status`, { status: { calicoVersion: 'v1' } })
      assert.equal(kept.json.status.calicoVersion, 'v3.28.2')
      await call(cluster, 'DELETE', `${path}/custom-status`)
    },
  },
  {
    name: 'serves what a new definition defines',
    async run(cluster) {
      const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: widgetSchema } }
      const names = { kind: 'Widget', listKind: 'WidgetList', plural: 'widgets', singular: 'widget' }
      await created(cluster, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'widgets.contract.lab' },
        spec: { group: 'contract.lab', names, scope: 'Cluster', versions: [version] },
      })
      const path = '/apis/contract.lab/v1/widgets'
      const deadline = Date.now() + 10_000
      while ((await call(cluster, 'GET', path)).status !== 200) assert.ok(Date.now() < deadline, 'it is not served')
      const body = {
        apiVersion: 'contract.lab/v1',
        kind: 'Widget',
        metadata: { name: 'one' },
        spec: { parts: [{ n: 1, x: 2 }] },
      }
      assert.deepEqual((await created(cluster, path, body)).spec, { parts: [{ n: 1 }], size: 3 })
    },
  },
]

const widgetSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 3 },
        parts: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } },
      },
    },
  },
}
