import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { until } from '../until.ts'
import type { Moment } from '../../lab/aws/moment.ts'
import { place } from '../flow/guards-stage.ts'
import { dripping, refusing } from './endpoints.ts'
import { type GatedStage, raiseGated, type Service, services } from './gated-stage.ts'
import { type Late, lookWhereAllIsLate } from './slow.ts'

/**
 * `evaluate` as it is deployed, with its memory and its time, in front of an AWS that is not well: it ends by itself, says
 * which service it was, and when AWS is well again people hear once what is so.
 */
const name = 'blue'
const ways = {
  'drops every SYN': 'drop',
  'answers 429': refusing(429, 'ThrottlingException'),
  'answers 503 and asks to wait': refusing(503, 'ServiceUnavailable', { 'retry-after': '600' }),
  'drips a byte a second': dripping,
} as const
type Way = keyof typeof ways
const wayNames = Object.keys(ways) as Way[]

/** A deployment, and what its `evaluate` logged. */
interface Logged extends GatedStage {
  lines: string[]
}

const raised = async (): Promise<Logged> => {
  const lines: string[] = []
  const it = await raiseGated(name, (moment: Moment): void => {
    if (moment.kind === 'log' && ['Evaluate', 'Tell'].includes(moment.function)) lines.push(moment.line)
  })
  it.stage.deploy({ action: 'report' })
  return { ...it, lines }
}

/** All well again, and nothing remembered. */
const reset = async ({ gates, stage, forget }: Logged): Promise<void> => {
  for (const gate of Object.values(gates)) gate.set(undefined)
  await stage.cloud.idle()
  await forget()
}

const look = { schemaVersion: 1, cluster: { ...place, name }, reason: 'event', cause: 'a test' }
let sent = 0
const looked = async ({ stage: { cloud }, lines }: Logged) => {
  lines.length = 0
  const began = performance.now()
  const attributes = { ApproximateReceiveCount: '1' }
  const record = { messageId: `m${(sent += 1)}`, receiptHandle: 'none', body: JSON.stringify(look), attributes }
  const { result } = await cloud.invoke('Evaluate', { Records: [record] })
  return { result, seconds: (performance.now() - began) / 1_000, log: lines.join('\n') }
}

/** What evaluate, and of SNS tell, says of each in its log, or in what it makes of it. */
const named: Record<Service, RegExp> = {
  EKS: /eks:DescribeCluster/,
  SSM: /the brake \(SSM parameter/,
  DYNAMODB: /DynamoDB/,
  SQS: /SQS/,
  SNS: /SNS/,
}

/** A look while the service is not well, and one when it is well again: the next sweep, or the same message again. */
const tried = async (it: Logged, service: Service, way: Way) => {
  const { gates, lines } = it
  const { cloud } = it.stage
  const told = cloud.deliveries.length
  gates[service].set(ways[way])
  const ill = await looked(it)
  process.stdout.write(`where ${service} ${way}: ${ill.seconds.toFixed(1)} s\n`)
  // A notice has a message of its own.
  await until(`a word about ${service}`, () => named[service].test(`${ill.log}\n${lines.join('\n')}`), 30)
  gates[service].set(undefined)
  const well = await looked(it)
  await cloud.idle()
  const subjects = cloud.deliveries.slice(told).map(({ subject }) => String(subject))
  const dead = await cloud.messages('EvaluationsDeadLetters')
  await reset(it)
  return { ill, well, subjects, dead }
}

const pairs = services.flatMap((service) => wayNames.map((way) => ({ service, way })))
const seen = new Map<string, Promise<Awaited<ReturnType<typeof tried>>>>()
const stages: Logged[] = []
let late: Promise<Late>

// Nearly all of it is waiting for time-outs: five deployments take the pairs of service and way from one list, and a sixth is late.
beforeAll(async () => {
  late = lookWhereAllIsLate()
  const left = pairs.values()
  const lane = async (): Promise<void> => {
    const it = await raised()
    stages.push(it)
    for (const { service, way } of left) {
      const trying = tried(it, service, way)
      seen.set(`${service} ${way}`, trying)
      await trying.catch(() => reset(it))
    }
  }
  await Promise.all([Promise.allSettled([late]), ...services.map(lane)])
}, 240_000)
afterAll(async () => void (await Promise.all(stages.map((it) => it.stop()))))

const done = { payload: '{"batchItemFailures":[]}' }

describe.each(services)('where %s', (service) => {
  test.each(wayNames)('%s, a look ends by itself and says so', async (way) => {
    const { ill, well, subjects, dead } = await seen.get(`${service} ${way}`)!
    expect(ill.result).toHaveProperty('payload')
    expect(ill.seconds).toBeLessThan(45)
    expect(well.result).toEqual(done)
    expect(subjects.filter((it) => it.includes('out of step'))).toHaveLength(1)
    expect(subjects.filter((it) => it.includes('cannot tell')).length).toBeLessThanOrEqual(service === 'EKS' ? 1 : 0)
    expect(dead).toEqual([])
  })
})

test('where each call of AWS is late, a look ends before it is ended, says where the time went, and nothing is lost', async () => {
  const { first, second, lines, subjects, dead } = await late
  process.stdout.write(`late: ${first.seconds.toFixed(1)} s\n`)
  expect(first.result).toEqual({ payload: JSON.stringify({ batchItemFailures: [{ itemIdentifier: 'm' }] }) })
  expect(first.seconds).toBeLessThan(59)
  expect(lines.filter((line) => line.includes('message failed')).join('\n')).toMatch(
    /no time is left; DynamoDB took \d+ s of |DynamoDB: /,
  )
  expect(second).toEqual(done)
  expect(subjects.filter((text) => text.includes('cannot tell'))).toEqual([])
  expect(subjects.filter((text) => text.includes('out of step'))).toHaveLength(1)
  expect(dead).toEqual([])
})
