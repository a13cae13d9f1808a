import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { Moment } from '../../lab/aws/moment.ts'
import type { Faults, PlainAnswer, PlainRequest } from '../../lab/embedded/faults.ts'
import type { EmbeddedCluster } from '../../lab/embedded/start.ts'
import { type Rollout, rolloutAnnotations } from '../../shared/domain/rollout/rollout.ts'
import { assemble, type GuardedStage, place, raise } from '../flow/guards-stage.ts'
import { until } from '../until.ts'

/** `evaluate` as it is deployed, in a process with its memory and its time, in front of a cluster that sends too much. */
const folder = mkdtempSync(join(tmpdir(), 'bounded-'))
/** Three quarters of its memory and half of its time (infra/workers.ts). */
const atMost = { megabytes: 768, seconds: 30 }
const name = 'vast'
/** Each in front of one thing that takes its time: the server is waited for, whatever the cluster has. */
const slow = ['late-pages', 'late-answers', 'dripping', 'late-step'] as const
const rangeKey = 'config.projectcalico.org/KubeNodePortRanges'

let stage: GuardedStage
let faults: Faults
/** What rollout-step logged. */
const steps: string[] = []
/** What the last look logged, for a look that died. */
let lines: string[] = []
beforeAll(async () => {
  const onMoment = (moment: Moment): void => {
    if (moment.kind !== 'log') return
    if (moment.function === 'RolloutStep') steps.push(moment.line)
    if (moment.function === 'Evaluate') lines.push(moment.line)
  }
  const nodes = (cluster: string) => (cluster === name ? 400 : 3)
  stage = await raise(await assemble(folder), [name, ...slow], nodes, { onMoment, environments: slow.length })
  faults = faultsOf(name)
}, 180_000)
afterEach(() => {
  faults.clear()
  return forget()
})
afterAll(async () => {
  await stage?.stop()
  rmSync(folder, { recursive: true })
})

const faultsOf = (cluster: string): Faults =>
  (stage.clusters.find((it) => it.name === cluster) as EmbeddedCluster).faults

interface Item {
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> }
}

/** What was told of the cluster so far, so that the next look tells anew. */
const forget = async (): Promise<void> => {
  const { credentials, endpoints, stack } = stage.cloud
  const endpoint = endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? ''
  const client = new DynamoDBClient({ ...place, credentials, endpoint })
  const TableName = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  for (const { cluster, record } of Items) {
    if (cluster && record) await client.send(new DeleteItemCommand({ TableName, Key: { cluster, record } }))
  }
}

let sent = 0
/** One message for `evaluate`; what it came to, what it took, and what people were told because of it. `attempt`: the look at what may pass. */
const looked = async ({ attempt = 0, of = name } = {}) => {
  const { cloud } = stage
  const before = cloud.deliveries.length
  const body = { schemaVersion: 1, cluster: { ...place, name: of }, reason: 'event', cause: 'a test', attempt }
  lines = []
  const began = performance.now()
  const { result, peak = 0 } = await cloud.invoke('Evaluate', {
    Records: [{ messageId: `m${(sent += 1)}`, body: JSON.stringify(body), attributes: {} }],
  })
  const seconds = (performance.now() - began) / 1_000
  // What a step waits for is not waited for here.
  await until('the notices', async () => (await cloud.messages('Tellings')).length === 0)
  const told = cloud.deliveries
    .slice(before)
    .filter(({ subject }) => subject?.includes(`${of} (`))
    .map(({ subject, message }) => `${subject}\n${message}`)
  process.stdout.write(`${of}, ${expect.getState().currentTestName}: ${peak.toFixed(0)} MB, ${seconds.toFixed(1)} s\n`)
  return { result, peak, seconds, told }
}

/** The look has a verdict and a notice that says so, in bounds. */
const bounded = async (look: ReturnType<typeof looked> = looked()): Promise<string> => {
  const { result, peak, seconds, told } = await look
  if (!('payload' in result)) throw new Error(`${JSON.stringify(result)}\n${lines.slice(-20).join('\n')}`)
  expect(result).toEqual({ payload: '{"batchItemFailures":[]}' })
  expect(peak).toBeLessThan(atMost.megabytes)
  expect(seconds).toBeLessThan(atMost.seconds)
  expect(told.length).toBe(1)
  return told[0] ?? ''
}

const items = (path: RegExp, change: (items: Item[]) => object[]): void => {
  const rewriteAnswer = (answer: PlainAnswer): PlainAnswer => {
    const list = JSON.parse(answer.body) as { items: Item[] }
    return { ...answer, body: JSON.stringify({ ...list, items: change(list.items) }) }
  }
  faults.inject({ path, rewriteAnswer })
}

const nodes = /^\/api\/v1\/nodes/
const felix = /^\/apis\/crd\.projectcalico\.org\/v1\/felixconfigurations/

const pages = (path: RegExp, page: (at: number) => object, { every = 0, of = faults } = {}): void => {
  let at = 0
  const rewriteAnswer = (answer: PlainAnswer): PlainAnswer => ({ ...answer, body: JSON.stringify(page((at += 1))) })
  const rewriteRequest = (request: PlainRequest): PlainRequest => ({ ...request, url: '/version' })
  of.inject({ path, rewriteRequest, rewriteAnswer, delay: every })
}
const page = (at: number, items: object[]) => ({ kind: 'List', metadata: { continue: `${at}` }, items })
const named = (name: string, more: object = {}) => ({ metadata: { name, namespace: 'x', ...more } })
const many = <T>(length: number, make: (at: number) => T): T[] => Array.from({ length }, (_, at) => make(at))
/** A list of 60 MB in one page: made once, because to make it takes as long as to read it. */
const vast = (path: RegExp): void => {
  faults.inject({ path, answer: { status: 200, body: vastList } })
}
const vastList = JSON.stringify({
  kind: 'List',
  metadata: {},
  items: many(1_000, (at) => named(`n${at}`, { annotations: { text: 'x'.repeat(60_000) } })),
})
const scattered = (length: number) => many(length, (at) => 20_000 + 2 * at).join()

/** A rollout under way, of which the next step reads the cluster. */
const rollout: Rollout = {
  id: 'aaaabbbbcccc',
  state: 'aborting',
  phase: 'range',
  target: '20000:32767',
  pace: { strategy: 'staged', maxUnavailable: 1, canarySeconds: 30, settleSeconds: 10, nodeDeadlineSeconds: 300 },
  where: { api: 'crd.projectcalico.org/v1' },
  skip: [],
  defaulted: [],
  restart: [],
  touching: [],
  startedAt: new Date().toISOString(),
}
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
const request = (of: string, ...given: Parameters<EmbeddedCluster['request']>) =>
  stage.clusters.find((it) => it.name === of)?.request(...given)

/** One message for `rollout-step`; what it logged of its waits, and what it took. */
const stepped = async (of = name) => {
  const annotations = Object.fromEntries(Object.entries(rolloutAnnotations(rollout)).filter(([, it]) => it !== null))
  const object = { metadata: { name: 'calico-ipvs-sync', namespace: 'kube-system', annotations }, spec: {} }
  await request(of, 'POST', leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...object })
  steps.length = 0
  const body = { schemaVersion: 1, cluster: { ...place, name: of }, begin: false }
  const began = performance.now()
  const attributes = { ApproximateReceiveCount: '1', MessageGroupId: of }
  const record = { messageId: `s${(sent += 1)}`, body: JSON.stringify(body), attributes }
  const { result, peak = 0 } = await stage.cloud.invoke('RolloutStep', { Records: [record] })
  const seconds = (performance.now() - began) / 1_000
  process.stdout.write(`${of}, ${expect.getState().currentTestName}: ${peak.toFixed(0)} MB, ${seconds.toFixed(1)} s\n`)
  return { result, peak, seconds, waits: steps.filter((it) => it.includes('"wait"')).join() }
}

/** The step ends as a wait, in bounds. */
const waited = async (why: RegExp, step = stepped()): Promise<void> => {
  const { result, peak, seconds, waits } = await step
  expect(result).toEqual({ payload: '{"batchItemFailures":[]}' })
  expect(waits).toMatch(why)
  expect(peak).toBeLessThan(atMost.megabytes)
  expect(seconds).toBeLessThan(atMost.seconds)
}

describe('a server that takes its time: a look has a verdict and a notice, and a step waits, within the same', () => {
  const shown: {
    step?: ReturnType<typeof stepped>
    looks?: Record<'late-pages' | 'late-answers' | 'dripping', ReturnType<typeof looked>>
  } = {}

  // All at once: it is nothing but waiting.
  beforeAll(async () => {
    let asked = 0
    const endless = (at: number) => {
      asked = at
      return page(
        at,
        many(20, (it) => named(`n${at}-${it}`)),
      )
    }
    pages(felix, endless, { every: 2_500, of: faultsOf('late-step') })
    stage.deploy({ action: 'sync' })
    shown.step = stepped('late-step')
    // By then it has read that it may sync.
    await until('the step to read the cluster', () => asked > 0)
    stage.deploy({ action: 'report' })
    const ten = (at: number) =>
      at > 30
        ? { items: [] }
        : page(
            at,
            many(10, (it) => named(`n${at}-${it}`)),
          )
    pages(nodes, ten, { every: 2_500, of: faultsOf('late-pages') })
    faultsOf('late-answers').inject({ path: /./, delay: 9_000 })
    faultsOf('dripping').inject({ path: /\?limit=/, drip: { bytes: 1, every: 1_000 } })
    const look = (of: string) => looked({ of })
    shown.looks = {
      'late-pages': look('late-pages'),
      'late-answers': look('late-answers'),
      dripping: look('dripping'),
    }
    await Promise.allSettled([shown.step, ...Object.values(shown.looks)])
    // The look that comes after the step's wait ends at once.
    stage.cloud.eks.removeCluster('late-step')
  }, 120_000)

  test('30 pages at 2.5 seconds each', async () => {
    expect(await bounded(shown.looks?.['late-pages'])).toMatch(/nodes/)
  })

  test('every answer takes 9 seconds', async () => {
    expect(await bounded(shown.looks?.['late-answers'])).toMatch(/nothing for 5 s/)
  })

  test('every list drips on for ever', async () => {
    expect(await bounded(shown.looks?.dripping)).toMatch(/did not finish/)
  })

  test('a step, and pages without end, 2.5 seconds each', async () => {
    await waited(/An observation takes at most 25 s, and .*felixconfigurations/, shown.step)
  })
})

describe('a cluster that sends too much has a verdict and a notice, within three quarters of the memory and half of the time', () => {
  beforeAll(async () => {
    stage.deploy({ action: 'report' })
    // Warm, as it mostly is.
    await looked()
    await forget()
  })

  test('a list of 60 MB in one page', async () => {
    vast(nodes)
    expect(await bounded()).toMatch(/nodes.* is larger than/)
  })

  test('all lists of 60 MB at once', async () => {
    vast(/\?limit=/)
    expect(await bounded()).toMatch(/is larger than/)
  })

  // On a busy machine the time for an answer ends first; test/clients/kube-faults has each reason alone.
  test.each([
    ['[]', /has more than 1500000 values|did not finish/],
    ['{}', /is not a list of objects with names|did not finish/],
    ['{"metadata":{"name":"a"}}', /is too long: more than 150000 objects|did not finish/],
  ])('all lists of pages of nothing but %s', async (item, why) => {
    const body = `{"items":[${`${item},`.repeat(15_000_000 / item.length)}${item}]}`
    faults.inject({ path: /\?limit=/, answer: { status: 200, body } })
    expect(await bounded()).toMatch(why)
  })

  test('a list of 60 MB in pages, of which everything is to be kept', async () => {
    pages(felix, (at) =>
      page(
        at,
        many(20, (it) => named(`f${at}-${it}`, { annotations: { text: 'x'.repeat(100_000) } })),
      ),
    )
    expect(await bounded()).toMatch(/felixconfigurations/)
  })

  test('labels without end on nodes without end', async () => {
    const labels = Object.fromEntries(many(500, (at) => [`label-${at}`, `${at}`]))
    pages(nodes, (at) =>
      page(
        at,
        many(500, (it) => named(`n${at}-${it}`, { labels })),
      ),
    )
    expect(await bounded()).toMatch(/nodes/)
  })

  test.each([
    ['nodes', nodes],
    ['felixconfigurations', felix],
    ['services', /^\/api\/v1\/services/],
    ['daemonsets', /daemonsets/],
  ] as const)('continue tokens that never end: %s', async (what, path) => {
    pages(path, (at) =>
      page(
        at,
        many(500, (it) => named(`n${at}-${it}`, { labels: { a: 'b' } })),
      ),
    )
    expect(await bounded()).toMatch(new RegExp(what))
  })

  test('items that are 100,000 tiny objects', async () => {
    items(nodes, () => many(100_000, (at) => named(`n${at}`)))
    // Nodes that are gone keep their pods for a minute: people hear of it when five have passed.
    expect(await bounded(looked({ attempt: 6 }))).toMatch(
      /The list of 100000 nodes contains none of the nodes of the listed pods/,
    )
  })

  test.each([
    ['[', '['.repeat(10_000_000)],
    ['objects', '{"a":'.repeat(2_000_000)],
    ['an item', `{"items":[{"metadata":{"name":"default"},"spec":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}]}`],
  ])('deep nesting: %s', async (_, body) => {
    faults.inject({ path: felix, answer: { status: 200, body } })
    expect(await bounded()).toBeTruthy()
  })

  test('an annotation of 20,000 scattered ports', async () => {
    items(felix, () => [named('default', { annotations: { [rangeKey]: scattered(20_000) } })])
    expect(await bounded()).toMatch(/default/)
  })

  test('20,000 scattered ports in use', async () => {
    const ports = many(20_000, (at) => ({ nodePort: 20_001 + 2 * at }))
    items(/^\/api\/v1\/services/, () =>
      many(200, (at) => ({ ...named(`s${at}`), spec: { ports: ports.slice(at * 100, at * 100 + 100) } })),
    )
    expect(await bounded()).toBeTruthy()
  })
})

describe('a step in front of such a cluster ends as a wait, within the same', () => {
  /** Where it has not yet started: it may sync. */
  beforeAll(() => stage.deploy({ action: 'sync' }))
  afterEach(() => request(name, 'DELETE', `${leases}/calico-ipvs-sync`))

  test('lists of 60 MB', async () => {
    vast(/\?limit=/)
    await waited(/is larger than/)
  })

  test('pages without end, of which everything is kept', async () => {
    pages(felix, (at) =>
      page(
        at,
        many(20, (it) => named(`f${at}-${it}`, { annotations: { text: 'x'.repeat(100_000) } })),
      ),
    )
    await waited(/felixconfigurations/)
  })
})
