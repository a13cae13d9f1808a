import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynamo } from '../../lab/aws/dynamo.ts'
import { recordedBetween } from '../../shared/clients/aws/history.ts'
import { type Records, records } from '../../shared/clients/aws/records.ts'
import { actedRecords } from '../../shared/clients/aws/records-writes.ts'
import type { Report } from '../../shared/domain/report.ts'
import { recordsTable } from '../records-table.ts'

const tables = startDynamo()
let dynamo: DynamoDBClient
let client: Records

beforeAll(async () => {
  const { url: endpoint } = await tables
  const credentials = { accessKeyId: 'A', secretAccessKey: 'B' }
  dynamo = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials })
  await recordsTable(dynamo)
  client = records(dynamo, 'records')
})
afterAll(async () => {
  dynamo.destroy()
  await (await tables).stop()
})

const look = (observedAt: string, verdict: Report['verdict'] = 'in-step'): Report => ({
  schemaVersion: 1,
  cluster: { name: 'prod' },
  observedAt,
  verdict,
  nodes: [],
  findings: [],
})
const read = (cluster: string, from = '2026-11-20', to = '2026-11-27') =>
  recordedBetween(dynamo, 'records', { cluster, from, to })

describe('the verdicts of a cluster', () => {
  test('each stored report is one of them, a day each, kept for a year and the month in which it is asked for', async () => {
    for (const at of ['2026-11-22T10:00:00Z', '2026-11-22T11:00:00Z', '2026-11-23T10:00:00Z'])
      await client.putReport('a', look(at))
    await client.putReport('a', look('2026-11-23T11:00:00Z', 'out-of-step'))
    const { days } = await read('a')
    expect(days.map(({ intervals }) => intervals.map(({ verdict, looks }) => [verdict, looks]))).toEqual([
      [['in-step', 2]],
      [
        ['in-step', 1],
        ['out-of-step', 1],
      ],
    ])
    const Key = { cluster: { S: 'a' }, record: { S: 'verdicts#2026-11-22' } }
    const { Item } = await dynamo.send(new GetItemCommand({ TableName: 'records', Key }))
    const keptDays = (Number(Item?.['expiresAt']?.N) - Date.parse('2026-11-22') / 1000) / 86_400
    expect(keptDays).toBeGreaterThan(399)
  })

  test('a look is kept before its report: cut short in between, no change is lost', async () => {
    await client.keepVerdict('b', look('2026-11-22T10:00:00Z', 'out-of-step'))
    expect(await client.lastReport('b')).toBeUndefined()
    await client.putReport('b', look('2026-11-22T10:00:00Z', 'out-of-step'))
    expect((await read('b')).days).toMatchObject([{ intervals: [{ verdict: 'out-of-step', looks: 1 }] }])
  })

  test('looks that end at the same time are all counted', async () => {
    const times = ['10:00', '10:01', '10:02', '10:03'].map((time) => `2026-11-22T${time}:00Z`)
    await client.keepVerdict('c', look('2026-11-22T09:59:00Z'))
    await Promise.all(times.map((at) => client.keepVerdict('c', look(at))))
    const [day] = (await read('c')).days
    expect(day?.intervals).toMatchObject([{ until: '2026-11-22T10:03:00.000Z' }])
  })

  test('only the days that are asked for, and what is not ours is counted and left out', async () => {
    for (const day of ['19', '20', '27', '28']) await client.putReport('d', look(`2026-11-${day}T23:59:00Z`))
    const Item = { cluster: { S: 'd' }, record: { S: 'verdicts#2026-11-21' }, verdicts: { S: '{"intervals":"all"}' } }
    await dynamo.send(new PutItemCommand({ TableName: 'records', Item }))
    const { days, unreadable } = await read('d')
    expect(days.map(({ intervals }) => intervals[0]?.from.slice(0, 10))).toEqual(['2026-11-20', '2026-11-27'])
    expect(unreadable).toBe(1)
  })

  test('writes come with them: those that were seen done, and those that only the cluster tells of', async () => {
    const write = (at: string, what: string) => ({
      at,
      rollout: 'r1',
      what,
      object: 'FelixConfiguration/default',
      by: 'me',
    })
    await actedRecords(dynamo, 'records').keepActed('e', [write('2026-11-22T10:00:00Z', 'promote')])
    await client.keepClaims('e', [write('2026-11-22T09:00:00Z', 'override')], '2026-11-22T11:00:00Z')
    const { writes } = await read('e')
    expect(writes.map(({ what, claimed }) => [what, claimed])).toEqual([
      ['promote', false],
      ['override', true],
    ])
  })
})
