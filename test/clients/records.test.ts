import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { CreateTableCommand, DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { listenLocally } from '../../lab/loopback.ts'
import { type Records, records } from '../../shared/clients/records.ts'
import type { Report } from '../../shared/domain/report.ts'

const server = dynalite({ createTableMs: 0 })
let dynamo: DynamoDBClient
let client: Records

beforeAll(async () => {
  const endpoint = `http://127.0.0.1:${await listenLocally(server)}`
  dynamo = new DynamoDBClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
  })
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'records',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['cluster', 'record'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S' as const,
      })),
      KeySchema: [
        { AttributeName: 'cluster', KeyType: 'HASH' },
        { AttributeName: 'record', KeyType: 'RANGE' },
      ],
    }),
  )
  client = records(dynamo, 'records')
})
afterAll(() => {
  dynamo.destroy()
  server.close()
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
      Array.from({ length: 5 }, () => client.claim(notice('one'), '2026-11-23T04:00:00Z')),
    )
    expect(claims.toSorted()).toEqual(['busy', 'busy', 'busy', 'busy', 'claimed'])
  })

  test('that was told is not told again', async () => {
    await client.claim(notice('two'), '2026-11-23T04:00:00Z')
    await client.confirm(notice('two'), '2026-11-23T04:00:01Z')
    expect(await client.claim(notice('two'), '2026-11-24T04:00:00Z')).toBe('told')
    expect(await client.claim(notice('other'), '2026-11-24T04:00:00Z')).toBe('claimed')
  })

  test('whose teller died is open again after five minutes', async () => {
    await client.claim(notice('three'), '2026-11-23T04:00:00Z')
    expect(await client.claim(notice('three'), '2026-11-23T04:04:59Z')).toBe('busy')
    expect(await client.claim(notice('three'), '2026-11-23T04:05:00Z')).toBe('claimed')
  })

  test('that has expired counts as forgotten before the table has forgotten it', async () => {
    await client.claim(notice('four'), '2026-11-23T04:00:00Z')
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
    expect(await client.claim(notice('four'), '2026-11-23T04:00:02Z')).toBe('claimed')
  })

  test('that was forgotten is told when it comes back', async () => {
    await client.claim(notice('five'), '2026-11-23T04:00:00Z')
    await client.confirm(notice('five'), '2026-11-23T04:00:00Z')
    await client.forget(notice('five'))
    expect(await client.claim(notice('five'), '2026-11-23T04:00:02Z')).toBe('claimed')
  })
})
