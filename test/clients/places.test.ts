import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynamo } from '../../lab/aws/dynamo.ts'
import { type PlaceRecords, placeRecords } from '../../shared/clients/aws/places.ts'
import { type Records, records } from '../../shared/clients/aws/records.ts'
import { recordsTable } from '../records-table.ts'

const tables = startDynamo()
let dynamo: DynamoDBClient
let places: PlaceRecords
let clusters: Records

beforeAll(async () => {
  const { url: endpoint } = await tables
  const credentials = { accessKeyId: 'A', secretAccessKey: 'B' }
  dynamo = new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials })
  await recordsTable(dynamo)
  places = placeRecords(dynamo, 'records')
  clusters = records(dynamo, 'records')
})
afterAll(async () => {
  dynamo.destroy()
  await (await tables).stop()
})

const row = (region: string, sweep: string, names = ['a']) => ({
  account: '111122223333',
  region,
  sweep,
  clusters: names,
})
const [nine, ten] = ['2026-11-29T09:00:00.000Z', '2026-11-29T10:00:00.000Z'] as const

test('a place is read as it was written; one that is not there is none', async () => {
  const unlisted = { since: nine, sweep: ten, sweeps: 2, cause: 'denied', message: 'no', told: true } as const
  await places.put({ ...row('eu-west-1', ten), unlisted }, { after: nine })
  expect(await places.get(row('eu-west-1', ten))).toEqual({ ...row('eu-west-1', ten), unlisted })
  expect(await places.get(row('ap-south-1', ten))).toBeUndefined()
  const Key = { cluster: { S: 'places' }, record: { S: '111122223333/eu-west-1' } }
  const { Item } = await dynamo.send(new GetItemCommand({ TableName: 'records', Key }))
  expect(Item?.['verdict']).toEqual({ S: 'unknown' })
})

test('a late message of an earlier sweep changes nothing, nor does a second one of the same sweep', async () => {
  expect(await places.put(row('us-east-1', ten, ['new']), { after: nine })).toBe(true)
  expect(await places.put(row('us-east-1', nine, ['old']), { after: '' })).toBe(false)
  expect(await places.put(row('us-east-1', ten, ['other']), { after: nine })).toBe(false)
  expect((await places.get(row('us-east-1', ten)))?.clusters).toEqual(['new'])
})

test('a thousand places are read page by page, and the total of the fleet is none of them', async () => {
  await places.putTotal({ sweep: ten, clusters: 3 })
  const names = Array.from({ length: 100 }, (_, index) => `${'n'.repeat(90)}${index}`)
  for (let from = 0; from < 1_000; from += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => places.put(row(`eu-many-${from + index}`, ten, names), { after: '' })),
    )
  const all = await places.all()
  expect(all.filter(({ region }) => region.startsWith('eu-many')).length).toBe(1_000)
  expect(all.some(({ region }) => region === undefined)).toBe(false)
  expect(await places.total()).toEqual({ sweep: ten, clusters: 3 })
})

test('of two messages of one sweep one leads to a look, and that one again where its function was killed', async () => {
  const begin = (messageId: string, sweep: string) => clusters.beginSweepLook('c', { messageId, sweep, at: ten })
  expect(await begin('m1', ten)).toBe(true)
  expect(await begin('m2', ten)).toBe(false)
  expect(await begin('m1', ten)).toBe(true)
  expect(await begin('m3', nine)).toBe(false)
  expect(await begin('m3', '2026-11-29T11:00:00.000Z')).toBe(true)
})

test('of a cluster that is no more no report is left, and one that was looked at before is not stored after it', async () => {
  const report = { schemaVersion: 1, cluster: { name: 'x' }, verdict: 'in-step', nodes: [], findings: [] } as const
  await clusters.putReport('x', { ...report, nodes: [], findings: [], observedAt: nine })
  await clusters.endReport('x', ten)
  expect(await clusters.lastReport('x')).toBeUndefined()
  expect(await clusters.putReport('x', { ...report, nodes: [], findings: [], observedAt: nine })).toBe(false)
  expect(await clusters.lastReport('x')).toBeUndefined()
})
