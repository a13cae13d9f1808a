import assert from 'node:assert/strict'
import { type Behaviour, call, type Json, merge } from '../behaviour.ts'
import { configMap, created, namespaced } from '../objects.ts'

const events = (text: string): Json[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
const told = (text: string): string[] => events(text).map(({ type, object }) => `${type} ${object.metadata.name}`)

export const watching: Behaviour[] = [
  {
    name: 'tells what happened since a resource version',
    async run(cluster) {
      const path = (await namespaced(cluster, 'watching-since'))('configmaps')
      const { metadata } = await created(cluster, path, configMap('before', {}))
      await created(cluster, path, configMap('one', { a: '1' }))
      await merge(cluster, `${path}/one`, { data: { a: '2' } })
      await call(cluster, 'DELETE', `${path}/one`)
      const watch = `${path}?watch=true&resourceVersion=${metadata.resourceVersion}&timeoutSeconds=1`
      const { status, text } = await call(cluster, 'GET', watch)
      assert.equal(status, 200)
      const ours = told(text).filter((line) => !line.includes('kube-root-ca.crt'))
      assert.deepEqual(ours, ['ADDED one', 'MODIFIED one', 'DELETED one'])
    },
  },
  {
    name: 'tells what is there, then what happens',
    async run(cluster) {
      const path = (await namespaced(cluster, 'watching-now'))('configmaps')
      await created(cluster, path, configMap('present', {}, { seen: 'yes' }))
      const watch = call(cluster, 'GET', `${path}?watch=true&labelSelector=seen%3Dyes&timeoutSeconds=2`)
      await new Promise((resolve) => setTimeout(resolve, 500))
      await created(cluster, path, configMap('later', {}, { seen: 'no' }))
      await merge(cluster, `${path}/later`, { metadata: { labels: { seen: 'yes' } } })
      await merge(cluster, `${path}/later`, { metadata: { labels: { seen: null } } })
      assert.deepEqual(told((await watch).text), ['ADDED present', 'ADDED later', 'DELETED later'])
    },
  },
]
