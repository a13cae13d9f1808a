import assert from 'node:assert/strict'
import type { LabCluster } from '../../../lab/cluster.ts'
import { type Behaviour, call, type Json } from '../behaviour.ts'
import { configMap, created, felix, felixPath, namespaced } from '../objects.ts'

const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const metadataOne = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
const names = (list: Json): string[] => list.items.map(({ metadata }: Json) => metadata.name)

/** ConfigMaps of these names, each labelled with its own; answers their collection. */
async function withConfigMaps(cluster: LabCluster, namespace: string, ...all: string[]): Promise<string> {
  const path = (await namespaced(cluster, namespace))('configmaps')
  for (const name of all) await created(cluster, path, configMap(name, { key: name }, { own: name, kind: 'test' }))
  return path
}

export const reading: Behaviour[] = [
  {
    name: 'lists by name, built-in items without a type of their own',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-order', 'b', 'a', 'c')
      const { json } = await call(cluster, 'GET', path)
      assert.deepEqual([json.kind, json.apiVersion], ['ConfigMapList', 'v1'])
      assert.deepEqual(names(json), ['a', 'b', 'c'])
      assert.equal(json.items[0].kind, undefined)
      assert.match(json.metadata.resourceVersion, /^\d+$/)
      assert.equal(json.metadata.continue, undefined)
    },
  },
  {
    name: 'lists custom resources with their type',
    async run(cluster) {
      await created(cluster, felixPath, felix('reading-typed', {}))
      const { json } = await call(cluster, 'GET', `${felixPath}?fieldSelector=metadata.name%3Dreading-typed`)
      assert.equal(json.kind, 'FelixConfigurationList')
      assert.deepEqual(names(json), ['reading-typed'])
      assert.deepEqual(
        [json.items[0].kind, json.items[0].apiVersion],
        ['FelixConfiguration', 'crd.projectcalico.org/v1'],
      )
    },
  },
  {
    name: 'answers an empty list for a namespace that is not there',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/api/v1/namespaces/reading-nowhere/pods')
      assert.deepEqual([status, json.items], [200, []])
    },
  },
  {
    name: 'lists over all namespaces by namespace and name',
    async run(cluster) {
      await withConfigMaps(cluster, 'reading-all-b', 'x')
      await withConfigMaps(cluster, 'reading-all-a', 'y')
      const { json } = await call(cluster, 'GET', '/api/v1/configmaps?labelSelector=kind%3Dtest,own%20in%20(x,y)')
      assert.deepEqual(
        json.items.map(({ metadata }: Json) => `${metadata.namespace}/${metadata.name}`),
        ['reading-all-a/y', 'reading-all-b/x'],
      )
    },
  },
  {
    name: 'selects by labels: equality, sets, presence',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-labels', 'a', 'b', 'c')
      const select = async (selector: string) =>
        names((await call(cluster, 'GET', `${path}?labelSelector=${encodeURIComponent(selector)}`)).json)
      assert.deepEqual(await select('own=a'), ['a'])
      assert.deepEqual(await select('own==b'), ['b'])
      assert.deepEqual(await select('own!=a,kind'), ['b', 'c'])
      assert.deepEqual(await select('own in (a, c)'), ['a', 'c'])
      assert.deepEqual(await select('own notin (a,c),kind=test'), ['b'])
      assert.deepEqual(await select('!own,kind'), [])
    },
  },
  {
    name: 'refuses a label selector it cannot parse',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/api/v1/pods?labelSelector=a%20in')
      assert.deepEqual([status, json.reason], [400, 'BadRequest'])
      assert.match(json.message, /unable to parse requirement/)
    },
  },
  {
    name: 'selects by name, and refuses fields it does not index',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-fields', 'a', 'b')
      const named = await call(cluster, 'GET', `${path}?fieldSelector=metadata.name%3Db`)
      assert.deepEqual(names(named.json), ['b'])
      for (const [collection, field] of [
        ['/api/v1/pods', 'spec.unheard'],
        [felixPath, 'spec.bpfEnabled'],
      ]) {
        const { status, json } = await call(cluster, 'GET', `${collection}?fieldSelector=${field}%3Dx`)
        assert.deepEqual([status, json.message], [400, `field label not supported: ${field}`])
      }
    },
  },
  {
    name: 'answers metadata alone where that is asked for',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-metadata', 'a')
      const list = (await call(cluster, 'GET', path, { accept: metadataList })).json
      assert.deepEqual([list.kind, list.apiVersion], ['PartialObjectMetadataList', 'meta.k8s.io/v1'])
      const [item] = list.items.filter(({ metadata }: Json) => metadata.name === 'a')
      assert.deepEqual(Object.keys(item).toSorted(), ['apiVersion', 'kind', 'metadata'])
      assert.deepEqual([item.kind, item.metadata.labels], ['PartialObjectMetadata', { own: 'a', kind: 'test' }])
      const one = (await call(cluster, 'GET', `${path}/a`, { accept: metadataOne })).json
      assert.deepEqual([one.kind, one.data], ['PartialObjectMetadata', undefined])
    },
  },
  {
    name: 'answers items: null in an empty list of metadata',
    async run(cluster) {
      for (const path of ['/api/v1/namespaces/reading-nowhere/pods', '/apis/operator.tigera.io/v1/installations']) {
        const { json } = await call(cluster, 'GET', path, { accept: metadataList })
        assert.equal(json.items, null)
      }
    },
  },
  {
    name: 'pages through one moment, whatever is written meanwhile',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-pages', 'a', 'c', 'e')
      const selected = `${path}?labelSelector=kind%3Dtest&limit=1`
      const first = (await call(cluster, 'GET', selected)).json
      await created(cluster, path, configMap('b', {}, { kind: 'test' }))
      await call(cluster, 'DELETE', `${path}/c`)
      const second = (await call(cluster, 'GET', `${selected}&continue=${first.metadata.continue}`)).json
      const third = (await call(cluster, 'GET', `${selected}&continue=${second.metadata.continue}`)).json
      assert.deepEqual([first, second, third].flatMap(names), ['a', 'c', 'e'])
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
    },
  },
  {
    name: 'counts what remains only where nothing is selected',
    async run(cluster) {
      const path = await withConfigMaps(cluster, 'reading-count', 'a', 'b', 'c')
      const selected = (await call(cluster, 'GET', `${path}?labelSelector=kind%3Dtest&limit=1`)).json
      assert.ok(selected.metadata.continue)
      assert.equal(selected.metadata.remainingItemCount, undefined)
      const all = (await call(cluster, 'GET', `${path}?limit=2`)).json
      assert.ok(all.metadata.remainingItemCount >= 1)
      const enough = (await call(cluster, 'GET', `${path}?limit=50`)).json
      assert.equal(enough.metadata.continue, undefined)
    },
  },
  {
    name: 'refuses a continue token it never gave',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', '/api/v1/pods?limit=1&continue=garbage')
      assert.deepEqual([status, json.reason], [400, 'BadRequest'])
      assert.match(json.message, /^invalid continue token: continue key is not valid/)
    },
  },
  {
    name: 'answers 404 with the words of a Status',
    async run(cluster) {
      const { status, json } = await call(cluster, 'GET', `${felixPath}/nobody`)
      assert.equal(status, 404)
      assert.deepEqual(json, {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'felixconfigurations.crd.projectcalico.org "nobody" not found',
        reason: 'NotFound',
        details: { name: 'nobody', group: 'crd.projectcalico.org', kind: 'felixconfigurations' },
        code: 404,
      })
    },
  },
]
