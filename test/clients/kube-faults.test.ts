import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { setTimeout as pause } from 'node:timers/promises'
import { createServer, type Server } from 'node:net'
import type { EmbeddedCluster } from '../../lab/embedded/start.ts'
import { listenLocally } from '../../lab/loopback.ts'
import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { ExchangeLimits } from '../../shared/clients/kube/exchange.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { connectionTo, embeddedCluster, removeScratch } from './lab.ts'

let cluster: EmbeddedCluster
const clients: KubeClient[] = []

beforeAll(async () => {
  cluster = await embeddedCluster()
  for (const name of ['a', 'b', 'c']) await cluster.request('POST', '/api/v1/nodes', node(name))
})
afterEach(() => {
  cluster.faults.clear()
  for (const client of clients.splice(0)) client.close()
})
afterAll(async () => {
  await cluster?.stop()
  removeScratch()
})

const node = (name: string) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } })

function clientFor(change: Partial<KubeConnection> = {}, limits: Partial<ExchangeLimits> = {}): KubeClient {
  const client = kubeClient({ ...connectionTo(cluster), ...change }, limits)
  clients.push(client)
  return client
}

const nodes = /^\/api\/v1\/nodes/

describe('a token that is refused', () => {
  test('is asked for anew, once, and the read succeeds', async () => {
    const asked: boolean[] = []
    const token: KubeConnection['token'] = async ({ fresh }) => {
      asked.push(fresh)
      return fresh ? cluster.adminToken : 'expired'
    }
    expect(valueOf(await clientFor({ token }).nodes())).toHaveLength(3)
    expect(asked).toEqual([false, true])
  })

  test('again after that is a failure, not a loop', async () => {
    const client = clientFor({ token: async () => 'nobody' })
    expect(failureOf(await client.nodes())).toMatchObject({ kind: 'unauthenticated', object: 'Nodes', status: 401 })
    expect(client.calls()).toBe(2)
  })

  test('that cannot even be made says why', async () => {
    const token = async () => Promise.reject(new Error('the plugin\nfailed'))
    const failure = failureOf(await clientFor({ token }).nodes())
    expect(failure).toMatchObject({ kind: 'unauthenticated', message: expect.stringContaining('the plugin failed') })
  })
})

describe('refusals', () => {
  test('403 is denied, with the words of the server', async () => {
    const message = 'nodes is forbidden: User "viewer" cannot list resource "nodes"'
    cluster.faults.inject({
      path: nodes,
      answer: { status: 403, body: { kind: 'Status', message, reason: 'Forbidden' } },
    })
    const failure = failureOf(await clientFor().nodes())
    expect(failure).toMatchObject({ kind: 'denied', status: 403, message: expect.stringContaining(message) })
  })

  test('a server that says the login in its own address is not repeated', async () => {
    const said = { kind: 'Status', message: 'wrong word hunter2hunter', reason: 'Forbidden' }
    cluster.faults.inject({ path: nodes, answer: { status: 403, body: said } })
    const server = connectionTo(cluster).server.replace('://', '://admin:hunter2hunter@')
    expect(failureOf(await clientFor({ server }).nodes())?.message).toContain('wrong word [secret]')
  })

  test('503 in plain text, as a broken aggregated API answers, is unavailable', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 503, body: 'service unavailable\n' } })
    expect(failureOf(await clientFor().nodes())).toMatchObject({
      kind: 'unavailable',
      message: '503: service unavailable',
    })
  })

  test('429 is waited for as long as the server asks, and then asked again', async () => {
    cluster.faults.inject({ path: nodes, times: 2, answer: { status: 429, body: 'slow down', retryAfter: 0.05 } })
    const client = clientFor()
    expect(valueOf(await client.nodes())).toHaveLength(3)
    expect(client.calls()).toBe(3)
  })

  test('429 that names a date, or nothing that can be understood, is waited for too', async () => {
    const header = (text: string) => ({ body: 'slow down', status: 429, headers: { 'retry-after': text } })
    for (const text of [new Date(Date.now() + 1_000).toUTCString(), 'soon', '-5', '']) {
      cluster.faults.inject({ path: nodes, times: 1, rewriteAnswer: () => header(text) })
      const client = clientFor()
      expect([text, valueOf(await client.nodes())?.length, client.calls()]).toEqual([text, 3, 2])
    }
    cluster.faults.inject({ path: nodes, rewriteAnswer: () => header(new Date(Date.now() + 600_500).toUTCString()) })
    const { retryAfterSeconds } = failureOf(await clientFor().nodes()) ?? {}
    expect(Math.abs((retryAfterSeconds ?? 0) - 600)).toBeLessThan(5)
  })

  test('429 for longer than the deadline fails at once', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 429, body: 'slow down', retryAfter: 3600 } })
    const client = clientFor()
    expect(failureOf(await client.nodes())).toMatchObject({ kind: 'unavailable', status: 429 })
    expect(client.calls()).toBe(1)
  })

  test('429 to a write, which was then not carried out, is waited for and sent again', async () => {
    cluster.faults.inject({
      path: /felixconfigurations/,
      times: 2,
      answer: { status: 429, body: 'slow down', retryAfter: 0.05 },
    })
    const client = clientFor()
    const api = 'crd.projectcalico.org/v1'
    const made = await client.createFelix(api, { name: 'node.throttled', annotations: {}, spec: {} })
    expect(client.calls()).toBe(3)
    await client.deleteFelix(api, made)
  })

  test('503 to a write is not sent again: it may have been carried out', async () => {
    cluster.faults.inject({ path: /\/leases/, times: 1, answer: { status: 503, body: 'away', retryAfter: 0.05 } })
    const client = clientFor()
    await expect(client.putLease({ resourceVersion: '1', holder: 'us' })).rejects.toMatchObject({ status: 503 })
    expect(client.calls()).toBe(1)
  })

  test('429 for longer than the deadline says how long the server asks to be left alone', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 429, body: 'slow down', retryAfter: 120 } })
    expect(failureOf(await clientFor().nodes())).toMatchObject({ status: 429, retryAfterSeconds: 120 })
  })

  test('429 without end is given up after three waits', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 429, retryAfter: 0 } })
    const client = clientFor()
    expect(failureOf(await client.nodes())).toMatchObject({ kind: 'unavailable' })
    expect(client.calls()).toBe(4)
  })

  test('a message with line breaks and markup comes out as one line', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 500, body: `<b>\r\n${'x'.repeat(5000)}\u001b[31m` } })
    const message = failureOf(await clientFor().nodes())?.message ?? ''
    expect(message).toMatch(/^500: <b> x+ … x+\ufffd\[31m$/)
    expect(message.length).toBeLessThanOrEqual(300)
  })
})

describe('connections', () => {
  test('a dropped one is made again for a read', async () => {
    cluster.faults.inject({ path: nodes, times: 1, drop: 'before' })
    expect(valueOf(await clientFor().nodes())).toHaveLength(3)
  })

  test('dropped twice is a failure', async () => {
    cluster.faults.inject({ path: nodes, drop: 'before' })
    const client = clientFor()
    expect(failureOf(await client.nodes())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('dropped'),
    })
    expect(client.calls()).toBe(2)
  })

  test('a write that was dropped is never sent again', async () => {
    cluster.faults.inject({ method: 'POST', path: /leases/, times: 1, drop: 'after' })
    const client = clientFor()
    await expect(client.putLease({ holder: 'me' })).rejects.toMatchObject({ kind: 'unreachable' })
    expect(client.calls()).toBe(1)
    expect(valueOf(await client.lease())).toMatchObject({ holder: 'me' })
  })

  test('all those that died while nobody looked cost one repetition, not one each', async () => {
    const client = clientFor()
    await Promise.all(Array.from({ length: 6 }, () => client.nodes()))
    await cluster.suspend()
    await cluster.resume()
    expect(valueOf(await client.nodes())).toHaveLength(3)
  })

  test('a server that drips is bounded by the deadline', async () => {
    cluster.faults.inject({ path: nodes, drip: { bytes: 1, every: 20 } })
    const began = Date.now()
    const failure = failureOf(await clientFor({}, { deadlineMs: 300, idleMs: 200 }).nodes())
    expect(failure).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('did not finish its answer in 0.3 s'),
    })
    expect(Date.now() - began).toBeLessThan(2_000)
  })

  test('a server that says nothing is bounded by the idle time', async () => {
    cluster.faults.inject({ path: nodes, delay: 1_000, times: 1 })
    const failure = failureOf(await clientFor({}, { idleMs: 100 }).nodes())
    expect(failure).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('sent nothing for 0.1 s') })
  })

  test('a certificate nobody here trusts is told by name', async () => {
    const { server } = cluster
    const client = kubeClient({ server })
    clients.push(client)
    expect(failureOf(await client.version())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(/trusted.*(SELF_SIGNED|UNABLE_TO_VERIFY|CERT)/),
    })
  })

  test.each([
    ['http', 'http://127.0.0.1:8001', /must begin with https/],
    ['no address', 'nonsense', /must begin with https/],
    ['a name that does not exist', 'https://cluster.invalid', /cannot be resolved/],
    ['a port where nobody listens', 'https://127.0.0.1:1', /Nothing listens/],
  ])('%s is a failure that says so', async (_, server, message) => {
    const client = kubeClient({ server })
    clients.push(client)
    expect(failureOf(await client.nodes())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringMatching(message),
    })
  })

  test('a server that takes the connection and never speaks TLS is bounded', async () => {
    const mute: Server = createServer(() => {})
    const port = await listenLocally(mute)
    const client = kubeClient({ server: `https://127.0.0.1:${port}` }, { connectMs: 100 })
    clients.push(client)
    expect(failureOf(await client.nodes())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('does not take connections'),
    })
    client.close()
    mute.close()
  })
})

describe('the end of a log', () => {
  test('is what is kept where its lines are long, and no half line', async () => {
    const lines = [
      ...Array.from({ length: 30 }, (_, nth) => `${nth} ${'x'.repeat(8_400)}`),
      '[PANIC] too few bits',
      'panic',
    ]
    cluster.faults.inject({
      path: /\/log\?/,
      answer: { status: 200, body: lines.join('\n'), contentType: 'text/plain' },
    })
    const tail = valueOf(await clientFor().podTail({ namespace: 'calico-system', name: 'calico-node-a' })) ?? []
    expect(tail.slice(-2)).toEqual(['[PANIC] too few bits', 'panic'])
    for (const line of tail) expect(lines).toContain(line)
  })
})

describe('a pod that says our own token', () => {
  const word = 'swordfish-of-ours'
  const line = `Using ipvs Proxier for ${word} ${Buffer.from(word).toString('base64')}`
  const pod = { namespace: 'kube-system', name: 'kube-proxy-a' }
  const answerWithIt = () =>
    cluster.faults.inject({
      path: /\/(log|proxyMode)\b/,
      answer: { status: 200, body: `${line}\n`, contentType: 'text/plain' },
    })

  test.each([
    ['at the end of its log', (client: KubeClient) => client.podTail(pod)],
    ['in the line that decides', (client: KubeClient) => client.podLog({ ...pod, role: 'kube-proxy' })],
    ['where it should say its mode', (client: KubeClient) => client.proxyMode({ ...pod, role: 'kube-proxy' }, 10_249)],
  ])('%s is shown without it', async (_, readLog) => {
    answerWithIt()
    const client = clientFor({ token: async () => word })
    const shown = JSON.stringify(await readLog(client))
    expect(shown).toContain('Using ipvs Proxier for [secret]')
    expect(shown).not.toMatch(new RegExp(`${word}|${Buffer.from(word).toString('base64').replace(/=+$/, '')}`))
  })
})

describe('a server that lies', () => {
  test('one page for ever is noticed at the first repetition', async () => {
    cluster.faults.inject({
      path: nodes,
      answer: { status: 200, body: { metadata: { continue: 'again' }, items: [node('a')] } },
    })
    const client = clientFor()
    expect(failureOf(await client.nodes())).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('does not end'),
    })
    expect(client.calls()).toBe(2)
  })

  test('pages without end, each with another token, stop somewhere', async () => {
    let page = 0
    cluster.faults.inject({
      path: nodes,
      rewriteAnswer: (answer) => ({
        ...answer,
        body: JSON.stringify({ metadata: { continue: `${(page += 1)}` }, items: [] }),
      }),
    })
    expect(failureOf(await clientFor().nodes())).toMatchObject({ kind: 'malformed' })
    expect(page).toBeLessThan(1_100)
  })

  test('an answer beyond the limit is cut off', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 200, body: { items: 'x'.repeat(200_000) } } })
    const failure = failureOf(await clientFor({}, { pageBytes: 100_000 }).nodes())
    expect(failure).toMatchObject({ kind: 'malformed', message: expect.stringContaining('larger than') })
  })

  test('objects too large for a page of hundreds are read a few at a time', async () => {
    cluster.faults.inject({ path: /limit=500/, answer: { status: 200, body: { items: 'x'.repeat(200_000) } } })
    expect(valueOf(await clientFor({}, { pageBytes: 100_000 }).nodes())).toHaveLength(3)
  })

  test.each([
    ['text', 'hello', 'is not JSON'],
    ['an object that is no list', { kind: 'Node' }, 'not a list'],
    ['a list of things without names', { items: [{ metadata: {} }] }, 'without names|with names'],
    ['a list of texts', { items: ['a'] }, 'with names'],
    ['a list of nothing', { items: [null, { metadata: { name: 'a' } }] }, 'with names'],
    ['a list beside the list', { items: null, others: [{ metadata: { name: 'a' } }] }, 'with names'],
  ])('%s in place of a list is malformed', async (_, body, message) => {
    cluster.faults.inject({ path: nodes, answer: { status: 200, body } })
    expect(failureOf(await clientFor().nodes())).toMatchObject({
      kind: 'malformed',
      message: expect.stringMatching(message),
    })
  })

  test('fields of the wrong type count as absent', async () => {
    const strange = {
      metadata: { name: 'a', labels: 7 },
      spec: [],
      status: { conditions: 'many', allocatable: { pods: {} } },
    }
    cluster.faults.inject({ path: nodes, answer: { status: 200, body: { items: [strange] } } })
    const expected = { name: 'a', labels: {}, createdAt: '', ready: false, unschedulable: false }
    expect(valueOf(await clientFor().nodes())).toEqual([expected])
  })
})

describe('a list that expires while it is read', () => {
  test('is begun again, once', async () => {
    cluster.faults.inject({
      path: /continue=/,
      times: 1,
      answer: { status: 410, body: { kind: 'Status', reason: 'Expired' } },
    })
    cluster.faults.inject({
      path: nodes,
      rewriteRequest: (request) => ({ ...request, url: request.url.replace('limit=500', 'limit=2') }),
    })
    const client = clientFor()
    expect(valueOf(await client.nodes())?.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(client.calls()).toBe(4)
  })

  test('each time is a failure', async () => {
    cluster.faults.inject({ path: nodes, answer: { status: 410, body: { kind: 'Status', reason: 'Expired' } } })
    expect(failureOf(await clientFor().nodes())).toMatchObject({ kind: 'unavailable', status: 410 })
  })
})

describe('Calico’s two APIs', () => {
  const both = ['projectcalico.org/v3', 'crd.projectcalico.org/v1']
  const v3 = /^\/apis\/projectcalico\.org\/v3\//
  const raw = {
    kind: 'FelixConfiguration',
    apiVersion: 'crd.projectcalico.org/v1',
    metadata: { name: 'default' },
    spec: {},
  }
  beforeAll(() => cluster.request('POST', '/apis/crd.projectcalico.org/v1/felixconfigurations', raw))

  test('v3 that answers is read alone', async () => {
    cluster.faults.inject({ path: v3, answer: { status: 200, body: { items: [raw] } } })
    const client = clientFor()
    expect(valueOf(await client.felixConfigurations(both))).toMatchObject({
      api: 'projectcalico.org/v3',
      objects: [{ name: 'default' }],
    })
    expect(client.calls()).toBe(1)
  })

  test('v3 among all that is served, without v1, is stored as such', async () => {
    cluster.faults.inject({ path: v3, answer: { status: 200, body: { items: [raw] } } })
    const nativeOf = async (apis: string[]) => valueOf(await clientFor().felixConfigurations(apis))?.nativeV3
    const served = ['apps/v1', 'apiextensions.k8s.io/v1']
    expect(await nativeOf([...served, 'projectcalico.org/v3'])).toBe(true)
    expect(await nativeOf([...served, ...both])).toBeUndefined()
    expect(await nativeOf(['projectcalico.org/v3'])).toBeUndefined()
  })

  test.each([
    ['down', { answer: { status: 503, body: 'error trying to reach service: dial tcp 10.0.0.1:5443' } }, 'unavailable'],
    ['hanging', { delay: 1_000, times: 1 }, 'unreachable'],
    ['gone, with its name still listed', { answer: { status: 404, body: '404 page not found' } }, 'unavailable'],
  ])('v3 that is %s: the stored objects, and that v3 failed', async (_, fault, kind) => {
    cluster.faults.inject({ path: v3, ...fault })
    const found = valueOf(await clientFor({}, { idleMs: 100 }).felixConfigurations(both))
    expect(found).toMatchObject({
      api: 'crd.projectcalico.org/v1',
      v3Failure: { kind },
      objects: [{ name: 'default' }],
    })
  })

  test('v3 that is down, asked for alone, as before a write: a failure, and one request', async () => {
    cluster.faults.inject({ path: v3, answer: { status: 503, body: 'service unavailable' } })
    const client = clientFor()
    expect(failureOf(await client.felixConfigurations(['projectcalico.org/v3']))).toMatchObject({
      kind: 'unavailable',
      status: 503,
    })
    expect(client.calls()).toBe(1)
  })

  test('v3 denied is denied: the other API is not a way around', async () => {
    cluster.faults.inject({ path: v3, answer: { status: 403, body: { kind: 'Status', message: 'no' } } })
    expect(failureOf(await clientFor().felixConfigurations(both))).toMatchObject({ kind: 'denied', status: 403 })
  })

  test('ClusterInformation is read raw, whatever the state of v3', async () => {
    cluster.faults.inject({ path: v3, answer: { status: 503, body: 'service unavailable' } })
    expect(await clientFor().clusterInformation(both)).toEqual({ value: undefined })
    expect(await clientFor().clusterInformation([])).toEqual({ value: undefined })
  })
})

test('requests beyond the connections take turns, and those that wait are not timed', async () => {
  cluster.faults.inject({ path: nodes, delay: 60 })
  const client = clientFor({}, { connectMs: 1_000, idleMs: 150 })
  const reads = await Promise.all(Array.from({ length: 40 }, () => client.nodes()))
  expect(reads.map((read) => valueOf(read)?.length)).toEqual(reads.map(() => 3))
})

describe('one look', () => {
  const most = { ms: 5_000, bytes: 2 ** 30, kept: 2 ** 30 }

  test('asks nothing more after its time is over', async () => {
    const client = clientFor()
    const look = client.within({ ...most, ms: 50 })
    await pause(60)
    const before = client.calls()
    expect(failureOf(await look.nodes())).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('nodes'),
    })
    expect(client.calls()).toBe(before)
    expect(failureOf(await client.nodes())).toBeUndefined()
  })

  test('reads so many bytes of all lists together, and says which list sent most', async () => {
    const look = clientFor().within({ ...most, bytes: 2 * 2 ** 20 })
    await look.version()
    cluster.faults.inject({
      path: nodes,
      rewriteAnswer: (it) => ({ ...it, body: `${it.body}${' '.repeat(1_500_000)}` }),
    })
    expect(failureOf(await look.nodes())).toBeUndefined()
    expect(failureOf(await look.nodes())).toMatchObject({
      kind: 'malformed',
      message: 'An observation reads at most 2 MiB of a cluster, and /api/v1/nodes alone sent 2 MiB.',
    })
    expect(failureOf(await look.daemonSets())).toMatchObject({ message: expect.stringContaining('/api/v1/nodes') })
  })

  test('keeps so much of what it read', async () => {
    const look = clientFor().within({ ...most, kept: 100 })
    expect(failureOf(await look.nodes())).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('nodes'),
    })
  })
})

test.each([
  ['levels', '{"a":'.repeat(200), 'nested more than 100 levels deep'],
  ['values', `{"items":[${'[],'.repeat(1_600_000)}1]}`, 'more than 1500000 values'],
])('an answer of far too many %s is refused before it is parsed', async (_, body, why) => {
  cluster.faults.inject({ path: nodes, answer: { status: 200, body } })
  expect(failureOf(await clientFor().nodes())).toMatchObject({
    kind: 'malformed',
    message: expect.stringContaining(why),
  })
})

test.each([
  ['objects without names', '{},'.repeat(10), 'is not a list of objects with names'],
  ['objects', '{"metadata":{"name":"a"}},'.repeat(150_001), 'is too long: more than 150000 objects'],
])('a list of far too many %s ends there', async (_, items, why) => {
  cluster.faults.inject({ path: nodes, answer: { status: 200, body: `{"items":[${items}{}]}` } })
  expect(failureOf(await clientFor().nodes())).toMatchObject({
    kind: 'malformed',
    message: expect.stringContaining(why),
  })
})

test('brackets in texts are no levels', async () => {
  const text = `${'[{"'.repeat(1_000)}\\`
  const body = { kind: 'NodeList', items: [{ metadata: { name: 'n', annotations: { text } } }] }
  cluster.faults.inject({ path: nodes, answer: { status: 200, body } })
  expect(valueOf(await clientFor().nodes())?.map(({ name }) => name)).toEqual(['n'])
})
