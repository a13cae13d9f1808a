import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { startDynamo } from '../../lab/aws/dynamo.ts'
import { type Records, records } from '../../shared/clients/aws/records.ts'
import { type ActedRecords, actedRecords } from '../../shared/clients/aws/records-writes.ts'
import type { Report } from '../../shared/domain/report.ts'
import type { JournalEntry } from '../../shared/domain/rollout/journal.ts'
import { recordsTable } from '../records-table.ts'

const tables = startDynamo()
let dynamo: DynamoDBClient
let client: Records

beforeAll(async () => {
  const { url: endpoint } = await tables
  dynamo = new DynamoDBClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
  })
  await recordsTable(dynamo)
  client = records(dynamo, 'records')
})
afterAll(async () => {
  dynamo.destroy()
  await (await tables).stop()
})

const report = (observedAt: string, nodes: Report['nodes'] = []): Report => ({
  schemaVersion: 1,
  cluster: { name: 'prod' },
  observedAt,
  verdict: 'in-step',
  nodes,
  findings: [],
})
const node = (name: string): Report['nodes'][number] => ({
  name,
  verdict: 'in-step',
  runningMode: 'ipvs',
  confidence: 'likely',
})
const stored = async (cluster: string, record = 'assessment') => {
  const Key = { cluster: { S: cluster }, record: { S: record } }
  return (await dynamo.send(new GetItemCommand({ TableName: 'records', Key }))).Item
}

describe('the last report of a cluster', () => {
  test('is what was put, and nothing before', async () => {
    expect(await client.lastReport('a')).toBeUndefined()
    expect(await client.putReport('a', report('2026-11-23T04:00:00.000Z', [node('n')]))).toBe(true)
    expect(await client.lastReport('a')).toEqual(report('2026-11-23T04:00:00.000Z', [node('n')]))
  })

  test('is never replaced by an earlier look that came late', async () => {
    await client.putReport('b', report('2026-11-23T04:00:00.000Z'))
    expect(await client.putReport('b', report('2026-11-23T03:59:59.999Z'))).toBe(false)
    expect(await client.putReport('b', report('2026-11-23T04:00:00.000Z'))).toBe(true)
    expect((await client.lastReport('b'))?.observedAt).toBe('2026-11-23T04:00:00.000Z')
  })

  test('says what people may have been told after it, until the next one', async () => {
    const [first, second] = [report('2026-11-23T04:00:00.000Z', [node('n')]), report('2026-11-23T05:00:00.000Z')]
    await client.putReport('f', first)
    await client.putBegun('f', first, 'unknown')
    expect(await client.lastReport('f')).toEqual({ ...first, begun: 'unknown' })
    await client.putReport('f', second)
    expect(await client.lastReport('f')).toEqual(second)
    await client.putBegun('f', first, 'unknown')
    expect(await client.lastReport('f')).toEqual(second)
  })

  test('is forgotten ninety days after', async () => {
    await client.putReport('c', report('2026-11-23T04:00:00.000Z'))
    expect((await stored('c'))?.['expiresAt']).toEqual({ N: String(Date.UTC(2027, 1, 21, 4) / 1_000) })
  })

  test('is stored compressed where it is larger than an item may be', async () => {
    const nodes = Array.from({ length: 5_000 }, (_, index) => node(`ip-10-0-${index}.eu-west-1.compute.internal`))
    await client.putReport('d', report('2026-11-23T04:00:00.000Z', nodes))
    expect(await stored('d')).not.toHaveProperty('report')
    expect((await client.lastReport('d'))?.nodes).toEqual(nodes)
  })

  test('that does not fit even so keeps its worst nodes and says how many it left out', async () => {
    const nodes = Array.from({ length: 4_000 }, () => node(randomBytes(200).toString('base64')))
    await client.putReport('e', report('2026-11-23T04:00:00.000Z', nodes))
    const kept = (await client.lastReport('e'))?.nodes ?? []
    expect(kept.length).toBeGreaterThan(500)
    expect(kept).toEqual(nodes.slice(0, kept.length))
    expect((await stored('e'))?.['nodesLeftOut']).toEqual({ N: String(4_000 - kept.length) })
  })
})

describe('a notice', () => {
  const notice = (hash: string) => ({ cluster: 'prod', hash })

  test('is told by one of all who want to tell it', async () => {
    const claims = await Promise.all(
      Array.from({ length: 5 }, () => client.reserve(notice('one'), '2026-11-23T04:00:00Z')),
    )
    expect(claims.toSorted()).toEqual(['busy', 'busy', 'busy', 'busy', 'reserved'])
  })

  test('that was told is not told again', async () => {
    await client.reserve(notice('two'), '2026-11-23T04:00:00Z')
    await client.confirm(notice('two'), '2026-11-23T04:00:01Z')
    expect(await client.reserve(notice('two'), '2026-11-24T04:00:00Z')).toBe('told')
    expect(await client.reserve(notice('other'), '2026-11-24T04:00:00Z')).toBe('reserved')
  })

  test('whose teller died is open again after five minutes', async () => {
    await client.reserve(notice('three'), '2026-11-23T04:00:00Z')
    expect(await client.reserve(notice('three'), '2026-11-23T04:04:59Z')).toBe('busy')
    expect(await client.reserve(notice('three'), '2026-11-23T04:05:00Z')).toBe('reserved')
  })

  test('that has expired counts as forgotten before the table has forgotten it', async () => {
    await client.reserve(notice('four'), '2026-11-23T04:00:00Z')
    await client.confirm(notice('four'), '2026-11-23T04:00:00Z')
    const Key = { cluster: { S: 'prod' }, record: { S: 'told#four' } }
    await dynamo.send(
      new UpdateItemCommand({
        TableName: 'records',
        Key,
        UpdateExpression: 'SET expiresAt = :at',
        ExpressionAttributeValues: { ':at': { N: '1' } },
      }),
    )
    expect(await client.reserve(notice('four'), '2026-11-23T04:00:02Z')).toBe('reserved')
  })
})

describe('the writes of rollouts', () => {
  let acted: ActedRecords
  beforeAll(() => {
    acted = actedRecords(dynamo, 'records')
  })
  const now = '2026-11-23T12:00:00.000Z'
  const write = (at: string, over: Partial<JournalEntry> = {}): JournalEntry => ({
    at,
    rollout: 'b1946ac92492',
    what: 'override',
    object: 'FelixConfiguration/node.n0',
    from: '30000:32767',
    to: '20000:32767',
    by: 'calico-ipvs-sync (AWS Lambda)',
    why: 'RANGE_DIFFERS',
    ...over,
  })
  const monday = write('2026-11-16T22:00:00.000Z')
  const tuesday = write('2026-11-17T22:00:00.000Z', { object: 'FelixConfiguration/node.n1' })
  /** As docs/runbook.md has it. */
  const recorded = async (cluster: string, from: string, until: string, kind = 'claim') => {
    const found = await dynamo.send(
      new QueryCommand({
        TableName: 'records',
        KeyConditionExpression: '#cluster = :cluster AND #record BETWEEN :from AND :until',
        ExpressionAttributeNames: { '#cluster': 'cluster', '#record': 'record' },
        ExpressionAttributeValues: {
          ':cluster': { S: cluster },
          ':from': { S: `${kind}#${from}` },
          ':until': { S: `${kind}#${until}` },
        },
      }),
    )
    const texts = (item: object) =>
      Object.fromEntries(Object.entries(item).map(([name, value]) => [name, Object.values(value as object)[0]]))
    return (found.Items ?? []).map(texts)
  }

  test('say who, why, what, on what, before, after and of which plan, and are found by the days asked for', async () => {
    await acted.keepActed('w1', [monday, tuesday])
    expect(await recorded('w1', '2026-11-16', '2026-11-17', 'write')).toEqual([
      {
        cluster: 'w1',
        record: expect.stringMatching(/^write#2026-11-16T22:00:00.000Z#[0-9a-f]{12}$/),
        at: '2026-11-16T22:00:00.000Z',
        by: 'calico-ipvs-sync (AWS Lambda)',
        why: 'RANGE_DIFFERS',
        what: 'override',
        object: 'FelixConfiguration/node.n0',
        before: '30000:32767',
        after: '20000:32767',
        rollout: 'b1946ac92492',
        expiresAt: String(Date.UTC(2026, 10, 16, 22) / 1_000 + 400 * 86_400),
      },
    ])
  })

  test('are put once, whoever sees them again', async () => {
    expect(await client.keepClaims('w2', [monday], now)).toBe(1)
    expect(await client.keepClaims('w2', [monday, tuesday], now)).toBe(1)
    expect(await client.keepClaims('w2', [monday, tuesday], now)).toBe(0)
    expect(await recorded('w2', '2026', '2027')).toHaveLength(2)
  })

  test('are all there and none twice when whoever puts them dies at any of its writes', async () => {
    const many = Array.from({ length: 30 }, (_, index) =>
      write('2026-11-16T22:00:00.000Z', { object: `Pod/a/p${index}` }),
    )
    for (const dieAt of [0, 1, 24, 25, 29, 30]) {
      let puts = 0
      const mortal = {
        send: (command: unknown) => {
          if (command instanceof PutItemCommand && puts++ === dieAt) throw new Error('died')
          return dynamo.send(command as never)
        },
      } as unknown as DynamoDBClient
      const cluster = `w3-${dieAt}`
      await expect(records(mortal, 'records').keepClaims(cluster, many, now)).rejects.toThrow('died')
      await client.keepClaims(cluster, many, now)
      const objects = (await recorded(cluster, '2026', '2027')).map(({ object }) => String(object))
      expect(objects.toSorted()).toEqual(many.map(({ object }) => object).toSorted())
    }
  })

  test('that only the cluster tells of are marked as claimed, and stand beside nothing that was seen done', async () => {
    await acted.keepActed('w5', [monday])
    expect(await client.keepClaims('w5', [monday, tuesday], now)).toBe(1)
    expect(await recorded('w5', '2026', '2027', 'write')).toHaveLength(1)
    expect(await recorded('w5', '2026', '2027')).toMatchObject([
      { object: 'FelixConfiguration/node.n1', claimed: true },
    ])
  })

  test('are never written over, by whom or with what ever', async () => {
    const forged = { ...monday, by: 'mallory', to: '1:65535' }
    await acted.keepActed('w6', [monday])
    await acted.keepActed('w6', [forged])
    expect(await client.keepClaims('w6', [forged], now)).toBe(0)
    await client.keepClaims('w6', [tuesday], now)
    await client.keepClaims('w6', [{ ...tuesday, by: 'mallory' }], now)
    expect(await recorded('w6', '2026', '2027', 'write')).toMatchObject([{ by: monday.by, after: monday.to }])
    expect(await recorded('w6', '2026', '2027')).toMatchObject([{ by: tuesday.by }])
  })

  test('that are claimed have a bound a look and a day, and no date in the future', async () => {
    const flood = (from: number) =>
      Array.from({ length: 200 }, (_, index) => write(monday.at, { object: `Pod/a/p${from + index}` }))
    const counts: number[] = []
    for (let look = 0; look < 14; look += 1) counts.push(await client.keepClaims('w7', flood(look * 200), now))
    expect([Math.max(...counts), counts.reduce((sum, it) => sum + it, 0)]).toEqual([100, 1_000])
    expect(await client.keepClaims('w7', flood(9_000), '2026-11-24T00:00:00.000Z')).toBe(100)
    expect(await client.keepClaims('w8', [write('2099-01-01T00:00:00.000Z')], now)).toBe(0)
  })

  test('that are forgotten on purpose, or that somebody mangled, are left out and stop nothing', async () => {
    const old = write('2025-01-01T00:00:00.000Z')
    const odd = { ...write('2026-11-18T00:00:00.000Z'), by: 5, from: { a: 1 } } as unknown as JournalEntry
    expect(await client.keepClaims('w4', [old, write('yesterday'), odd], now)).toBe(1)
    expect(await recorded('w4', '', '3')).toMatchObject([{ by: '5' }])
  })
})

describe('the outbox', () => {
  const content = { subject: 's', text: 'first', attributes: { severity: 'info' as const, cluster: 'prod' } }
  const key = { cluster: 'outbox', hash: 'a'.repeat(32) }
  const now = '2026-11-20T10:00:00Z'

  test('keeps the first notice of a key, and none that was never kept', async () => {
    expect(await client.keptNotice(key)).toBeUndefined()
    await client.keepNotice(key, content, now)
    await client.keepNotice(key, { ...content, text: 'second' }, now)
    expect(await client.keptNotice(key)).toEqual(content)
  })

  test('a claim that is released can be taken again at once, one that is told cannot', async () => {
    expect(await client.reserve(key, now)).toBe('reserved')
    expect(await client.reserve(key, now)).toBe('busy')
    await client.release(key, now)
    expect(await client.reserve(key, now)).toBe('reserved')
    await client.confirm(key, now)
    await client.release(key, now)
    expect(await client.reserve(key, now)).toBe('told')
  })
})

test('what people know of the switches is kept by cluster and for the whole deployment', async () => {
  const stored = { state: 'sync tag', action: 'sync' as const, since: '2026-11-20T10:00:00Z' }
  expect(await client.lastSwitch('1/r/prod')).toBeUndefined()
  await client.putSwitch('1/r/prod', stored)
  await client.putSwitch('deployment', { ...stored, action: 'off' })
  expect(await client.lastSwitch('1/r/prod')).toEqual(stored)
  expect(await client.lastSwitch('deployment')).toEqual({ ...stored, action: 'off' })
})

test('what was read of a switch before what is kept does not replace it, nor the time since when it is known', async () => {
  const kept = { state: 'report tag', action: 'report' as const, since: '2026-11-20T10:00:20.000Z' }
  await client.putSwitch('1/r/later', kept)
  await client.putSwitch('1/r/later', { state: 'sync tag', action: 'sync', since: '2026-11-20T10:00:00.000Z' })
  await client.putSwitch('1/r/later', { ...kept, since: '2026-11-20T10:00:30.000Z' })
  expect(await client.lastSwitch('1/r/later')).toEqual(kept)
  await client.putSwitch('1/r/later', { ...kept, state: 'report brake', since: '2026-11-20T10:00:40.000Z' })
  expect((await client.lastSwitch('1/r/later'))?.state).toBe('report brake')
})

describe('a look that is repeated', () => {
  const now = '2026-11-20T10:00:00.000Z'
  test('is known to have broken off where one of its message began and did not end', async () => {
    expect(await client.lookBegins('1/r/killed', 'm1', now)).toBe(false)
    expect(await client.lookBegins('1/r/killed', 'm1', now)).toBe(true)
  })
  test('is not where that one ended, or was of another message', async () => {
    await client.lookBegins('1/r/well', 'm1', now)
    await client.lookEnded('1/r/well', now)
    expect(await client.lookBegins('1/r/well', 'm1', now)).toBe(false)
    expect(await client.lookBegins('1/r/well', 'm2', now)).toBe(false)
  })
})
