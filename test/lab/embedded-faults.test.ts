import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { call } from '../contract/behaviour.ts'
import { configMap, created } from '../contract/objects.ts'

const configMaps = '/api/v1/namespaces/default/configmaps'

describe('an embedded API server that misbehaves on request', () => {
  const workdir = mkdtempSync(join(tmpdir(), 'faults-'))
  let cluster: EmbeddedCluster

  beforeAll(async () => {
    cluster = await startEmbedded({ name: 'faults', workdir })
  })
  afterEach(() => {
    cluster.faults.clear()
    cluster.faults.forget()
  })
  afterAll(async () => {
    await cluster.stop()
    rmSync(workdir, { recursive: true, force: true })
  })

  it('answers what it is told, as often as it is told, with the time to wait', async () => {
    const body = { kind: 'Status', code: 429 }
    cluster.faults.inject({ path: /configmaps/, times: 2, answer: { status: 429, body, retryAfter: 3 } })
    const first = await call(cluster, 'GET', configMaps)
    expect([first.status, first.headers['retry-after'], first.json]).toEqual([429, '3', body])
    expect((await call(cluster, 'GET', '/version')).status).toBe(200)
    expect((await call(cluster, 'GET', configMaps)).status).toBe(429)
    expect((await call(cluster, 'GET', configMaps)).status).toBe(200)
  })

  it('answers text that is no JSON, as the aggregator does', async () => {
    cluster.faults.inject({ answer: { status: 503, body: 'service unavailable\n' } })
    const { status, text, headers } = await call(cluster, 'GET', configMaps)
    expect([status, text]).toEqual([503, 'service unavailable\n'])
    expect(headers['content-type']).toMatch(/^text\/plain/)
  })

  it('drops the connection before it carries a request out, or after', async () => {
    cluster.faults.inject({ method: 'POST', times: 1, drop: 'before' })
    await expect(call(cluster, 'POST', configMaps, { body: configMap('lost', {}) })).rejects.toThrow()
    expect((await call(cluster, 'GET', `${configMaps}/lost`)).status).toBe(404)
    cluster.faults.inject({ method: 'POST', times: 1, drop: 'after' })
    await expect(call(cluster, 'POST', configMaps, { body: configMap('kept', {}) })).rejects.toThrow()
    expect((await call(cluster, 'GET', `${configMaps}/kept`)).status).toBe(200)
  })

  it('takes its time, all at once or byte by byte', async () => {
    cluster.faults.inject({ times: 1, delay: 200 })
    cluster.faults.inject({ times: 2, drip: { bytes: 1, every: 100 } })
    const from = performance.now()
    expect((await call(cluster, 'GET', '/readyz')).text).toBe('ok')
    expect(performance.now() - from).toBeGreaterThan(290)
  })

  it('takes a fault back', async () => {
    const takeBack = cluster.faults.inject({ answer: { status: 500 } })
    expect((await call(cluster, 'GET', '/version')).status).toBe(500)
    takeBack()
    expect((await call(cluster, 'GET', '/version')).status).toBe(200)
  })

  it('counts what it was asked by method and path, refused or not', async () => {
    await call(cluster, 'GET', `${configMaps}?limit=1`)
    await call(cluster, 'GET', `${configMaps}/nobody`)
    await call(cluster, 'DELETE', `${configMaps}/nobody`)
    expect(cluster.faults.count()).toBe(3)
    expect(cluster.faults.count({ method: 'GET', path: /configmaps/ })).toBe(2)
    const seen = cluster.faults.requests().map(({ method, status }) => [method, status])
    expect(seen).toEqual([
      ['GET', 200],
      ['GET', 404],
      ['DELETE', 404],
    ])
  })

  it('answers 410 to a page whose moment is forgotten, with a token to go on at the present', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) {
      await created(cluster, configMaps, configMap(name, {}, { paged: 'yes' }))
    }
    const selected = `${configMaps}?labelSelector=paged%3Dyes&limit=1`
    const first = (await call(cluster, 'GET', selected)).json
    await call(cluster, 'DELETE', `${configMaps}/page-b`)
    cluster.faults.expireHistory()
    const expired = await call(cluster, 'GET', `${selected}&continue=${first.metadata.continue}`)
    expect([expired.status, expired.json.reason]).toEqual([410, 'Expired'])
    const rest = await call(cluster, 'GET', `${selected}&continue=${expired.json.metadata.continue}`)
    expect(rest.json.items[0].metadata.name).toBe('page-c')
    const old = Number(first.metadata.resourceVersion)
    const watch = await call(cluster, 'GET', `${configMaps}?watch=true&resourceVersion=${old}&timeoutSeconds=1`)
    expect(JSON.parse(watch.text)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })
})
