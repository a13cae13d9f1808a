import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../until.ts'
import { fieldsOf } from '../../lab/aws/json.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { assemble, type GuardedStage, place, raise } from '../flow/guards-stage.ts'
import { dripping, refusing } from './endpoints.ts'
import { type Gate, gate } from './gate.ts'

/**
 * `evaluate` as it is deployed, with its memory and its time, in front of an AWS that is not well: it ends by itself, says
 * which service it was, and when AWS is well again people hear once what is so.
 */
const folder = mkdtempSync(join(tmpdir(), 'unwell-functions-'))
const name = 'blue'
const services = ['EKS', 'SSM', 'DYNAMODB', 'SQS', 'SNS'] as const
type Service = (typeof services)[number]

let stage: GuardedStage
let gates: Record<Service, Gate>
const lines: string[] = []

beforeAll(async () => {
  const onMoment = (moment: Moment): void => {
    if (moment.kind === 'log' && moment.function === 'Evaluate') lines.push(moment.line)
  }
  stage = await raise(await assemble(folder), [name], 2, { onMoment })
  stage.deploy({ action: 'report' })
  const behind = await Promise.all(
    services.map(async (it) => [it, await gate(stage.cloud.endpoints[`AWS_ENDPOINT_URL_${it}`] ?? '')] as const),
  )
  gates = Object.fromEntries(behind) as Record<Service, Gate>
  const own = stage.cloud.endpoints['AWS_ENDPOINT_URL_SQS'] ?? ''
  for (const { properties } of stage.cloud.stack.ofType('AWS::Lambda::Function')) {
    const variables = fieldsOf(fieldsOf(properties['Environment'])['Variables'])
    for (const [key, value] of Object.entries(variables))
      if (typeof value === 'string' && key.endsWith('_URL')) variables[key] = value.replace(own, gates.SQS.url)
  }
  // What the functions are given; the lab itself goes to the endpoints as before.
  for (const it of services) stage.cloud.endpoints[`AWS_ENDPOINT_URL_${it}`] = gates[it].url
}, 120_000)
afterEach(async () => {
  for (const it of Object.values(gates)) it.set(undefined)
  await stage.cloud.idle()
  await forget()
}, 120_000)
afterAll(async () => {
  for (const it of Object.values(gates ?? {})) it.close()
  await stage?.stop()
  rmSync(folder, { recursive: true })
})

/** What was told so far, so that the next look tells anew. */
const forget = async (): Promise<void> => {
  const { credentials, endpoints, stack } = stage.cloud
  const client = new DynamoDBClient({ ...place, credentials, endpoint: endpoints['AWS_ENDPOINT_URL_DYNAMODB'] ?? '' })
  const TableName = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const { Items = [] } = await client.send(new ScanCommand({ TableName }))
  for (const { cluster, record } of Items)
    if (cluster && record) await client.send(new DeleteItemCommand({ TableName, Key: { cluster, record } }))
  client.destroy()
}

const look = { schemaVersion: 1, cluster: { ...place, name }, reason: 'event', cause: 'a test' }
let sent = 0
const looked = async () => {
  lines.length = 0
  const began = performance.now()
  const attributes = { ApproximateReceiveCount: '1' }
  const record = { messageId: `m${(sent += 1)}`, receiptHandle: 'none', body: JSON.stringify(look), attributes }
  const { result } = await stage.cloud.invoke('Evaluate', { Records: [record] })
  const seconds = (performance.now() - began) / 1_000
  process.stdout.write(`${expect.getState().currentTestName}: ${seconds.toFixed(1)} s\n`)
  return { result, seconds, log: lines.join('\n') }
}
const done = { payload: '{"batchItemFailures":[]}' }

const ways = {
  'drops every SYN': 'drop',
  'answers 429': refusing(429, 'ThrottlingException'),
  'answers 503 and asks to wait': refusing(503, 'ServiceUnavailable', { 'retry-after': '600' }),
  'drips a byte a second': dripping,
} as const
/** What evaluate says of each in its log, or in what it makes of it. */
const named: Record<Service, RegExp> = {
  EKS: /eks:DescribeCluster/,
  SSM: /the brake \(SSM parameter/,
  DYNAMODB: /DynamoDB/,
  SQS: /SQS/,
  SNS: /SNS/,
}

describe.each(services)('where %s', (service) => {
  test.each(Object.keys(ways) as (keyof typeof ways)[])(
    '%s, a look ends by itself and says so',
    async (way) => {
      const told = stage.cloud.deliveries.length
      gates[service].set(ways[way])
      const { result, seconds, log } = await looked()
      expect(result).toHaveProperty('payload')
      expect(seconds).toBeLessThan(45)
      // A notice has a message of its own.
      await until(`a word about ${service}`, () => named[service].test(`${log}\n${lines.join('\n')}`), 30)
      gates[service].set(undefined)
      // The next sweep, or the same message again.
      expect((await looked()).result).toEqual(done)
      await stage.cloud.idle()
      const said = stage.cloud.deliveries.slice(told).map(({ subject }) => String(subject))
      expect(said.filter((it) => it.includes('out of step'))).toHaveLength(1)
      expect(said.filter((it) => it.includes('cannot tell')).length).toBeLessThanOrEqual(service === 'EKS' ? 1 : 0)
      expect(await stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
    },
    120_000,
  )
})
