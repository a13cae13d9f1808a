import assert from 'node:assert/strict'
import { type Behaviour, call, type Json } from '../behaviour.ts'
import { until } from '../../until.ts'
import { created, namespaced, nodePortService, service } from '../objects.ts'

const outside = (range: string) => `provided port is not in the valid range. The range of valid ports is ${range}`

/** These run on a server whose range is 30000-32767. */
export const nodePorts: Behaviour[] = [
  {
    name: 'refuses a node port outside the range and names the range',
    async run(cluster) {
      const path = (await namespaced(cluster, 'ports-outside'))('services')
      const { status, json } = await call(cluster, 'POST', path, { body: nodePortService('probe', 777777) })
      assert.equal(status, 422)
      const problem = `Invalid value: 777777: ${outside('30000-32767')}`
      assert.equal(json.message, `Service "probe" is invalid: spec.ports[0].nodePort: ${problem}`)
      assert.deepEqual(json.details.causes, [
        { reason: 'FieldValueInvalid', message: problem, field: 'spec.ports[0].nodePort' },
      ])
      assert.deepEqual((await call(cluster, 'GET', path)).json.items, [])
    },
  },
  {
    name: 'checks no node port on a dry run',
    async run(cluster) {
      const path = (await namespaced(cluster, 'ports-dry'))('services')
      for (const port of [777777, 29999]) {
        const { status } = await call(cluster, 'POST', `${path}?dryRun=All`, { body: nodePortService('probe', port) })
        assert.equal(status, 201)
      }
      assert.deepEqual((await call(cluster, 'GET', path)).json.items, [])
    },
  },
  {
    name: 'gives node ports and health-check ports of its own choice inside the range',
    async run(cluster) {
      const path = (await namespaced(cluster, 'ports-chosen'))('services')
      const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] }
      const balanced = await created(cluster, path, service('balanced', spec))
      for (const port of [balanced.spec.ports[0].nodePort, balanced.spec.healthCheckNodePort]) {
        assert.ok(port >= 30000 && port <= 32767, `${port}`)
      }
      assert.notEqual(balanced.spec.ports[0].nodePort, balanced.spec.healthCheckNodePort)
      const inner = await created(cluster, path, service('inner', { ports: [{ port: 80 }] }))
      assert.deepEqual([inner.spec.type, inner.spec.ports[0].nodePort], ['ClusterIP', undefined])
    },
  },
  {
    name: 'gives a node port to one Service only',
    async run(cluster) {
      const path = (await namespaced(cluster, 'ports-taken'))('services')
      await created(cluster, path, nodePortService('first', 31999))
      const { status, json } = await call(cluster, 'POST', path, { body: nodePortService('second', 31999) })
      assert.equal(status, 422)
      assert.match(json.message, /Invalid value: 31999: provided port is already allocated$/)
      await call(cluster, 'DELETE', `${path}/first`)
      assert.equal((await call(cluster, 'POST', path, { body: nodePortService('second', 31999) })).status, 201)
    },
  },
  {
    name: 'fails on a health-check port outside the range',
    async run(cluster) {
      const path = (await namespaced(cluster, 'ports-health'))('services')
      const spec = {
        type: 'LoadBalancer',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 777,
        ports: [{ port: 80 }],
      }
      const { status, json } = await call(cluster, 'POST', path, { body: service('health', spec) })
      assert.equal(status, 500)
      assert.match(
        json.message,
        /failed to allocate requested HealthCheck NodePort 777: provided port is not in the valid/,
      )
    },
  },
  {
    name: 'keeps the ports of Services when its range changes, names the new range, and reports the strays',
    async run(cluster) {
      const inside = await namespaced(cluster, 'ports-moved')
      const path = inside('services')
      await created(cluster, path, nodePortService('stray', 31234))
      await cluster.setNodePortRange({ min: 20000, max: 22767 })
      try {
        assert.equal((await call(cluster, 'GET', `${path}/stray`)).json.spec.ports[0].nodePort, 31234)
        const { json } = await call(cluster, 'POST', path, { body: nodePortService('probe', 777777) })
        assert.match(json.message, new RegExp(`${outside('20000-22767')}$`))
        assert.equal((await call(cluster, 'POST', path, { body: nodePortService('new', 20001) })).status, 201)
        const said = 'Port 31234 is not within the port range 20000-22767; please recreate service'
        await until('an Event tells of the stray port', async () => {
          const { items } = (await call(cluster, 'GET', inside('events'))).json
          return items.some(
            ({ reason, type, message }: Json) => reason === 'PortOutOfRange' && type === 'Warning' && message === said,
          )
        })
      } finally {
        await cluster.setNodePortRange({ min: 30000, max: 32767 })
      }
    },
  },
]
