import assert from 'node:assert/strict'
import { type Behaviour, call } from '../behaviour.ts'
import { created, felix, felixPath } from '../objects.ts'

export const outage: Behaviour[] = [
  {
    name: 'is gone while suspended, and back with all its objects afterwards',
    async run(cluster) {
      const { metadata } = await created(cluster, felixPath, felix('outage-kept', {}))
      await cluster.suspend()
      try {
        await assert.rejects(call(cluster, 'GET', '/version'), { code: 'ECONNREFUSED' })
      } finally {
        await cluster.resume()
      }
      const { status, json } = await call(cluster, 'GET', `${felixPath}/outage-kept`)
      assert.deepEqual([status, json.metadata.uid], [200, metadata.uid])
    },
  },
]
