import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../until.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { place } from '../flow/guards-stage.ts'
import { dripping, refusing } from './endpoints.ts'
import { type GatedStage, raiseGated, type Service, services } from './gated-stage.ts'

/**
 * `evaluate` as it is deployed, with its memory and its time, in front of an AWS that is not well: it ends by itself, says
 * which service it was, and when AWS is well again people hear once what is so.
 */
const name = 'blue'
let it: GatedStage
const lines: string[] = []

beforeAll(async () => {
  it = await raiseGated(name, (moment: Moment): void => {
    if (moment.kind === 'log' && moment.function === 'Evaluate') lines.push(moment.line)
  })
  it.stage.deploy({ action: 'report' })
}, 120_000)
afterEach(async () => {
  for (const gate of Object.values(it.gates)) gate.set(undefined)
  await it.stage.cloud.idle()
  await it.forget()
}, 120_000)
afterAll(() => it?.stop())

const look = { schemaVersion: 1, cluster: { ...place, name }, reason: 'event', cause: 'a test' }
let sent = 0
const looked = async () => {
  lines.length = 0
  const began = performance.now()
  const attributes = { ApproximateReceiveCount: '1' }
  const record = { messageId: `m${(sent += 1)}`, receiptHandle: 'none', body: JSON.stringify(look), attributes }
  const { result } = await it.stage.cloud.invoke('Evaluate', { Records: [record] })
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
      const told = it.stage.cloud.deliveries.length
      it.gates[service].set(ways[way])
      const { result, seconds, log } = await looked()
      expect(result).toHaveProperty('payload')
      expect(seconds).toBeLessThan(45)
      // A notice has a message of its own.
      await until(`a word about ${service}`, () => named[service].test(`${log}\n${lines.join('\n')}`), 30)
      it.gates[service].set(undefined)
      // The next sweep, or the same message again.
      expect((await looked()).result).toEqual(done)
      await it.stage.cloud.idle()
      const said = it.stage.cloud.deliveries.slice(told).map(({ subject }) => String(subject))
      expect(said.filter((it) => it.includes('out of step'))).toHaveLength(1)
      expect(said.filter((it) => it.includes('cannot tell')).length).toBeLessThanOrEqual(service === 'EKS' ? 1 : 0)
      expect(await it.stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
    },
    120_000,
  )
})
