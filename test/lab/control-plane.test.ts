import { mkdtempSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { adminClient } from '../../lab/admin-client.ts'
import type { AuthenticatedUser, LabCluster } from '../../lab/cluster.ts'
import { type ControlPlane, startControlPlane } from '../../lab/control-plane/start.ts'
import { baselineOf } from '../control-planes/baseline.ts'

const workdir = mkdtempSync(join(tmpdir(), 'lab-control-plane-'))
const services = '/api/v1/namespaces/default/services'
const nodePortService = (name: string, nodePort: number) => ({
  metadata: { name },
  spec: { type: 'NodePort', ports: [{ port: 80, nodePort }] },
})

const revisioned = z.object({ metadata: z.object({ name: z.string().optional(), resourceVersion: z.string() }) })

describe('a real control plane', () => {
  let cluster: ControlPlane
  const authenticate = async (token: string): Promise<AuthenticatedUser | undefined> => {
    if (token === 'broken') throw new Error('the verifier is down')
    return token === 'good' ? { username: 'sync', groups: ['readers'] } : undefined
  }

  beforeAll(async () => {
    cluster = await startControlPlane({
      name: 'first',
      workdir,
      nodePortRange: { min: 20000, max: 22767 },
      authenticate,
    })
  })
  afterAll(() => cluster?.stop())

  test('is Kubernetes 1.36.3 on 127.0.0.1, with a kubeconfig of its name', async () => {
    expect(cluster).toMatchObject({
      name: 'first',
      kind: 'real',
      server: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
    })
    expect(await cluster.request('GET', '/version')).toMatchObject({ gitVersion: 'v1.36.3', minor: '36' })
    expect(cluster.kubeconfig).toBe(join(workdir, 'first', 'kubeconfig'))
  })

  test('refuses node ports outside its range, and takes another range with its objects kept', async () => {
    const outside = cluster.request('POST', services, nodePortService('high', 30000))
    await expect(outside).rejects.toThrow(/422 .*The range of valid ports is 20000-22767/)
    await cluster.request('POST', services, nodePortService('low', 20001))
    await cluster.setNodePortRange({ min: 30000, max: 32767 })
    await cluster.request('POST', services, nodePortService('high', 30000))
    expect(await cluster.request('GET', `${services}/low`)).toMatchObject({ spec: { ports: [{ nodePort: 20001 }] } })
  })

  test('knows the users that the verifier knows, and gives them no rights beyond their groups', async () => {
    const as = (token: string) => adminClient({ server: cluster.server, caPem: caOf(cluster), token }).request
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    expect(await as('good')('POST', path, review)).toMatchObject({
      status: { userInfo: { username: 'sync', groups: ['readers', 'system:authenticated'] } },
    })
    await expect(as('bad')('POST', path, review)).rejects.toMatchObject({ status: 401 })
    await expect(as('broken')('POST', path, review)).rejects.toMatchObject({ status: 401 })
    await expect(as('good')('GET', '/api/v1/nodes')).rejects.toMatchObject({ status: 403 })
  })

  test('suspended it answers nobody; resumed it is where it was, with its objects', async () => {
    const configMap = { metadata: { name: 'kept' }, data: { key: 'value' } }
    await cluster.request('POST', '/api/v1/namespaces/default/configmaps', configMap)
    await cluster.suspend()
    await expect(cluster.request('GET', '/version')).rejects.toThrow('ECONNREFUSED')
    await cluster.resume()
    const read = await cluster.request('GET', '/api/v1/namespaces/default/configmaps/kept')
    expect(read).toMatchObject({ data: { key: 'value' } })
  })

  test('made again what it was, it tells of each deletion with a revision of its own, so that no watch can lose one', async () => {
    const baseline = await baselineOf(cluster)
    const names = Array.from({ length: 40 }, (_, index) => `node-${index}`)
    await Promise.all(names.map((name) => cluster.request('POST', '/api/v1/nodes', { metadata: { name } })))
    const { metadata } = revisioned.parse(await cluster.request('GET', '/api/v1/nodes'))
    await baseline.restore()
    const watch = `/api/v1/nodes?watch=1&timeoutSeconds=1&resourceVersion=${metadata.resourceVersion}`
    const deleted = String(await cluster.request('GET', watch))
      .split('\n')
      .filter((line) => line.includes('"DELETED"'))
      .map((line) => revisioned.parse((JSON.parse(line) as { object: unknown }).object).metadata)
    expect(new Set(deleted.map(({ name }) => name))).toEqual(new Set(names))
    expect(new Set(deleted.map(({ resourceVersion }) => resourceVersion)).size).toBe(names.length)
  })

  test('stands beside another with other objects, and stopped it leaves no port open', async () => {
    const second = await startControlPlane({ name: 'second', workdir })
    try {
      await expect(second.request('GET', `${services}/low`)).rejects.toMatchObject({ status: 404 })
      await expect(second.request('POST', services, nodePortService('low', 20001))).rejects.toThrow('30000-32767')
    } finally {
      await second.stop()
    }
    expect(await isOpen(second)).toBe(false)
    expect(await isOpen(cluster)).toBe(true)
  })
})

test('what keeps a control plane from coming up is told by the end of its log', async () => {
  const impossible = startControlPlane({ name: 'impossible', workdir, nodePortRange: { min: 70000, max: 70001 } })
  await expect(impossible).rejects.toThrow(/kube-apiserver ended before it was ready\. The end of .*70000/s)
})

test('without its binary it says what to run', async () => {
  const { XDG_CACHE_HOME, LAB_BIN } = process.env
  process.env['XDG_CACHE_HOME'] = mkdtempSync(join(tmpdir(), 'lab-no-cache-'))
  delete process.env['LAB_BIN']
  try {
    await expect(startControlPlane({ name: 'none', workdir })).rejects.toThrow('npm run lab -- build')
  } finally {
    for (const [name, value] of Object.entries({ XDG_CACHE_HOME, LAB_BIN })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
})

const caOf = (cluster: LabCluster): string => Buffer.from(cluster.caData, 'base64').toString()

function isOpen({ server }: LabCluster): Promise<boolean> {
  const { hostname, port } = new URL(server)
  return new Promise((resolve) => {
    const socket = createConnection(Number(port), hostname, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
