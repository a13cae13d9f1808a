import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { startDynamo } from '../../lab/aws/dynamo.ts'
import { lookRequests } from '../../shared/clients/aws/looks.ts'
import { records } from '../../shared/clients/aws/records.ts'
import type { Evaluation } from '../../shared/messages.ts'
import { beginLook } from '../../shared/workflows/fleet/begin-look.ts'
import { onEvent } from '../../shared/workflows/fleet/on-event.ts'
import { recordsTable } from '../records-table.ts'

/** Events and looks in every order, on the conditional writes of a real table, with a clock of the test's own. */
const tables = startDynamo()
let dynamo: DynamoDBClient

beforeAll(async () => {
  const { url: endpoint } = await tables
  const credentials = { accessKeyId: 'A', secretAccessKey: 'B' }
  dynamo = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 })
  await recordsTable(dynamo)
})
afterAll(async () => {
  dynamo.destroy()
  await (await tables).stop()
})

const [account, region] = ['111122223333', 'eu-west-1']
let clusters = 0

const world = () => {
  const name = `c${(clusters += 1)}`
  const it = {
    now: Date.parse('2026-11-29T10:00:00Z'),
    /** What the cluster is like: counts up with each change. */
    cluster: 0,
    /** What of it was seen. */
    seen: 0,
    queue: [] as { message: Evaluation; messageId: string; due: number }[],
    looks: 0,
    requests: 0,
    sendFails: false,
    marksFail: false,
  }
  const log = () => undefined
  const now = () => new Date(it.now)
  const looks = lookRequests(dynamo, 'records', { gapSeconds: 60, now: () => it.now })
  const tools = {
    queues: {
      sendEvaluation: async (message: Evaluation, { delaySeconds = 0 } = {}) => {
        if (it.sendFails) throw new Error('SQS is away')
        it.queue.push({ message, messageId: `m${it.queue.length}`, due: it.now + delaySeconds * 1000 })
      },
    },
    looks: {
      ask: (...of: Parameters<typeof looks.ask>) =>
        it.marksFail ? Promise.reject(new Error('throttled')) : looks.ask(...of),
    },
    fleet: { own: account, regions: [region], accounts: [{ account }] },
    now,
    log,
  }
  /** Something changes in the cluster, and its event is heard half a second later; `requestId`: of an earlier try. */
  const event = async (requestId = `r${(it.requests += 1)}`) => {
    it.cluster += 1
    it.now += 2_000
    const detail = { eventSource: 'eks.amazonaws.com', eventName: 'UpdateAddon', requestParameters: { name } }
    await onEvent(tools, { account, region, 'detail-type': 'AWS API Call via CloudTrail', detail }, requestId)
  }
  const begin = (message: Evaluation, messageId: string) =>
    beginLook({ records: records(dynamo, 'records'), now, log }, message, { messageId })
  /** One message as `evaluate` works on it: `during` happens between its reads and its end, `killed` leaves it in the queue. */
  const work = async ({ during, killed = false }: { during?: () => Promise<void>; killed?: boolean } = {}) => {
    const next = it.queue.find(({ due }) => due <= it.now)
    if (!next) throw new Error('nothing is due')
    if (await begin(next.message, next.messageId)) {
      it.looks += 1
      const read = it.cluster
      it.now += 1_500
      await during?.()
      if (killed) return
      it.seen = read
    }
    it.queue.splice(it.queue.indexOf(next), 1)
  }
  /** Hands out all there is, when it is due. */
  const settle = async () => {
    while (it.queue.length > 0) {
      it.now = Math.max(it.now, Math.min(...it.queue.map(({ due }) => due)))
      await work()
    }
  }
  return Object.assign(it, { event, begin, work, settle })
}

describe('events of one cluster', () => {
  test('a hundred within the gap ask for two looks: one at once, one for all that followed', async () => {
    const it = world()
    await it.event()
    await it.work()
    for (let count = 0; count < 25; count += 1) await it.event()
    expect(it.queue.map(({ due }) => due - it.now)).toEqual([expect.any(Number)])
    await it.settle()
    expect(it).toMatchObject({ looks: 2, seen: 26, cluster: 26 })
  })

  test('one before the look begins is seen by it', async () => {
    const it = world()
    await it.event()
    await it.event()
    expect(it.queue).toHaveLength(1)
    await it.settle()
    expect(it).toMatchObject({ looks: 1, seen: 2 })
  })

  test('one while the cluster is read leads to a look of its own', async () => {
    const it = world()
    await it.event()
    await it.work({ during: () => it.event() })
    expect(it.seen).toBe(1)
    await it.settle()
    expect(it).toMatchObject({ looks: 2, seen: 2 })
  })

  test('one after the look leads to another, a minute after the first at the latest', async () => {
    const it = world()
    await it.event()
    await it.work()
    const looked = it.now
    await it.event()
    expect(it.queue[0]?.due).toBeLessThanOrEqual(looked + 60_000)
    await it.settle()
    expect(it).toMatchObject({ looks: 2, seen: 2 })
  })

  test('a look that is killed is made again by its own message, though it had begun', async () => {
    const it = world()
    await it.event()
    it.now += 5_000
    await it.work({ killed: true })
    await it.settle()
    expect(it).toMatchObject({ looks: 2, seen: 1 })
  })

  test('one that comes after a look was killed in the middle is seen too', async () => {
    const it = world()
    await it.event()
    await it.work({ killed: true })
    await it.event()
    await it.settle()
    expect(it.seen).toBe(2)
  })

  test('one whose function dies after the mark and before the message is asked for again by its next try', async () => {
    const it = world()
    it.sendFails = true
    await expect(it.event('r-dying')).rejects.toThrow('SQS is away')
    it.sendFails = false
    // Another relies on the mark of the one that died.
    await it.event()
    expect(it.queue).toHaveLength(0)
    it.now += 60_000
    await it.event('r-dying')
    await it.settle()
    expect(it).toMatchObject({ looks: 1, seen: 3 })
  })

  test('a mark whose message never came counts for two minutes', async () => {
    const it = world()
    it.sendFails = true
    await expect(it.event()).rejects.toThrow()
    it.sendFails = false
    it.now += 121_000
    await it.event()
    expect(it.queue).toHaveLength(1)
  })

  test('where marks cannot be written each event asks for a look, and those that were seen meanwhile are none', async () => {
    const it = world()
    it.marksFail = true
    for (let count = 0; count < 5; count += 1) await it.event()
    expect(it.queue).toHaveLength(5)
    it.now += 2_000
    await it.settle()
    expect(it).toMatchObject({ looks: 1, seen: 5 })
  })

  test('a look for another reason covers no event and takes no mark off: the look that others rely on is made', async () => {
    const it = world()
    await it.event()
    await it.work()
    await it.event()
    const { cluster } = it.queue[0]?.message ?? {}
    it.now += 5_000
    for (const reason of ['sweep', 'follow', 'rollout', 'refused'] as const)
      if (cluster) expect(await it.begin({ schemaVersion: 1, cluster, reason }, reason)).toBe(true)
    await it.event()
    expect(it.queue).toHaveLength(1)
    await it.settle()
    expect(it).toMatchObject({ looks: 2, seen: 3 })
  })

  test('a message that came late, after others had asked anew, takes no look from them', async () => {
    const it = world()
    await it.event()
    const late = it.queue.splice(0)
    it.now += 180_000
    // The mark has expired: the next event asks again, and one more relies on it.
    await it.event()
    await it.event()
    it.queue.unshift(...late)
    await it.work()
    await it.event()
    await it.settle()
    expect(it.seen).toBe(4)
  })

  test('many at one moment ask for one look, whoever is first', async () => {
    const it = world()
    await Promise.all(Array.from({ length: 20 }, () => it.event()))
    expect(it.queue).toHaveLength(1)
  })
})
