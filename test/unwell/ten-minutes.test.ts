import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import type { Context, SQSEvent } from 'aws-lambda'
import * as z from 'zod/mini'
import type { Incident } from '../../shared/clients/aws/incidents.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import type { NoticeKey, Records, StoredSwitch } from '../../shared/clients/aws/records.ts'
import type { BrakePosition } from '../../shared/domain/policy/policy.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { failed, read } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import { worker } from '../../shared/handler.ts'
import { evaluation, telling } from '../../shared/messages.ts'
import { receivesAtMost } from '../../shared/settings.ts'
import { evaluate } from '../../shared/workflows/fleet/evaluate.ts'
import type { EvaluateTools } from '../../shared/workflows/fleet/tools.ts'
import * as looking from '../../shared/workflows/fleet/looking.ts'
import { sendNotice } from '../../shared/workflows/fleet/tell-send.ts'
import { cluster as clusterWith } from '../domain/ingredients.ts'

/** Ten minutes in which a service of AWS throttles or is away, on a clock of the test's own, through the frame of the function and a queue like SQS. */
const minutes = 10
const cluster = { account: '111122223333', region: 'eu-central-1', name: 'blue' }
/** infra/queue.ts: six times the function's time. */
const visibilitySeconds = 360
const sweepSeconds = 3_600
type Service = 'EKS' | 'SSM' | 'DynamoDB' | 'SQS' | 'SNS'

interface Message {
  at: number
  messageId: string
  body: string
  receives: number
}

const cloud = (ill: Service) => {
  let second = 0
  let made = 0
  const started = Date.parse('2026-11-20T10:00:00Z')
  const isIll = (service: Service) => service === ill && second < minutes * 60
  const throttled = () =>
    Object.assign(new Error(`${ill}: ThrottlingException: Rate exceeded`), { name: 'ThrottlingException' })
  const reached = <T>(service: Service, then: () => T): Promise<T> =>
    isIll(service) ? Promise.reject(throttled()) : Promise.resolve(then())
  const queue: Message[] = []
  const dead: string[] = []
  const told: OutgoingNotice[] = []
  const waits = new Map<string, number>()
  const send = (body: object, delay = 0) =>
    reached(
      'SQS',
      () =>
        void queue.push({ at: second + delay, messageId: `m${(made += 1)}`, body: JSON.stringify(body), receives: 0 }),
    )

  const incidents = new Map<string, Incident>()
  const kept = new Map<string, OutgoingNotice>()
  const claims = new Map<string, number | 'told'>()
  const switches = new Map<string, StoredSwitch>()
  let report: Report | undefined
  let begun: string | undefined
  const id = ({ hash }: NoticeKey) => hash
  const records = {
    lastReport: () => reached('DynamoDB', () => report),
    putReport: (_: string, it: Report) => reached('DynamoDB', () => ((report = it), true)),
    putBegun: () => reached('DynamoDB', () => undefined),
    keepVerdict: () => reached('DynamoDB', () => undefined),
    lastSwitch: (key: string) => reached('DynamoDB', () => switches.get(key)),
    putSwitch: (key: string, it: StoredSwitch) => reached('DynamoDB', () => void switches.set(key, it)),
    reserve: (key: NoticeKey) =>
      reached('DynamoDB', () => {
        const state = claims.get(id(key))
        if (state === 'told') return state
        if (state !== undefined && second - state < 300) return 'busy'
        claims.set(id(key), second)
        return 'reserved'
      }),
    confirm: (key: NoticeKey) => reached('DynamoDB', () => void claims.set(id(key), 'told')),
    release: (key: NoticeKey) => reached('DynamoDB', () => void claims.delete(id(key))),
    keepNotice: (key: NoticeKey, it: OutgoingNotice) =>
      reached('DynamoDB', () => void (kept.has(id(key)) || kept.set(id(key), it))),
    keptNotice: (key: NoticeKey) => reached('DynamoDB', () => kept.get(id(key))),
    incident: (key: string) => reached('DynamoDB', () => incidents.get(key)),
    putIncident: (key: string, it: Incident) => reached('DynamoDB', () => void incidents.set(key, it)),
    keepClaims: () => reached('DynamoDB', () => 0),
    beginLook: () => reached('DynamoDB', () => true),
    beginSweepLook: () => reached('DynamoDB', () => true),
    endReport: () => reached('DynamoDB', () => void (report = undefined)),
    lookBegins: (_: string, messageId: string) =>
      reached('DynamoDB', () => {
        const broke = begun === messageId
        begun = messageId
        return broke
      }),
    lookEnded: () => reached('DynamoDB', () => void (begun = undefined)),
  } satisfies Records
  const eksState = {
    arn: `arn:aws:eks:${cluster.region}:${cluster.account}:cluster/${cluster.name}`,
    tags: {},
    status: 'ACTIVE',
  }
  const unread = failed<never>({
    kind: 'unavailable',
    object: 'eks:DescribeCluster',
    message: 'ThrottlingException: Rate exceeded',
  })
  const brake = async (): Promise<BrakePosition> =>
    isIll('SSM') ? { most: 'report', unreadable: 'the brake cannot be read: HTTP 429' } : { most: 'sync' }
  const notices = { publish: (it: OutgoingNotice) => reached('SNS', () => void told.push(it)) }
  const tools: Omit<EvaluateTools, 'log'> = {
    fleet: { own: cluster.account, regions: [cluster.region], accounts: [{ account: cluster.account }] },
    describe: async () => (isIll('EKS') ? unread : read({ state: eksState } as never)),
    observe: async (_, eks) => {
      const seen = {
        ...clusterWith('eks range 30000-34000'),
        cluster,
        observedAt: new Date(started + second * 1_000).toISOString(),
      }
      return 'failure' in eks ? { ...seen, eks, nodes: unread } : seen
    },
    looking: async () => looking,
    records,
    queues: {
      sendEvaluation: (message, { delaySeconds = 0 } = {}) => send(message, delaySeconds),
      sendTelling: (message) => send(message),
      sendEvaluations: async () => undefined,
      sendRolloutStep: async () => undefined,
    },
    brake: { read: brake, command: () => 'the command' },
    policy: policyWith({ action: 'report' }),
    now: () => new Date(started + second * 1_000),
  }
  const handler = worker('evaluate', {
    schema: z.union([evaluation, telling]),
    received: {
      bury: ({ body }, reason) => reached('SQS', () => void dead.push(`${reason}: ${body}`)),
      postpone: ({ messageId }, seconds) => reached('SQS', () => void waits.set(messageId, seconds)),
    },
    work: (message, { log, ...received }) =>
      'tell' in message
        ? sendNotice({ ...tools, notices, log }, message)
        : evaluate({ ...tools, log }, message, received),
  })
  /** Hands out one message, as Lambda's poller does. */
  const handOut = async (message: Message): Promise<void> => {
    message.receives += 1
    const { messageId, body, receives } = message
    const record = { messageId, body, receiptHandle: 'r', attributes: { ApproximateReceiveCount: `${receives}` } }
    const context = { getRemainingTimeInMillis: () => 60_000 } as Context
    const { batchItemFailures } = await handler({ Records: [record] } as unknown as SQSEvent, context)
    if (batchItemFailures.length === 0) return
    // The queue's own bound.
    if (receives >= receivesAtMost) return void dead.push(`received ${receives} times: ${body}`)
    queue.push({ ...message, at: second + (waits.get(messageId) ?? visibilitySeconds) })
    waits.delete(messageId)
  }
  const look = (at: number, reason: 'event' | 'sweep') => {
    const body = JSON.stringify({ schemaVersion: 1, cluster, reason })
    queue.push({ at, messageId: `m${(made += 1)}`, body, receives: 0 })
  }
  const run = async (): Promise<void> => {
    look(0, 'event')
    look(sweepSeconds, 'sweep')
    while (queue.length > 0) {
      queue.sort((a, b) => a.at - b.at)
      const next = queue.shift()!
      second = Math.max(second, next.at)
      await handOut(next)
    }
  }
  return { run, dead, subjects: () => told.map(({ subject }) => subject), seconds: () => second }
}

beforeEach(() => {
  for (const stream of [process.stdout, process.stderr]) jest.spyOn(stream, 'write').mockImplementation(() => true)
})
afterEach(() => void jest.restoreAllMocks())

test.each<Service>(['EKS', 'SSM', 'DynamoDB', 'SQS', 'SNS'])(
  `ten minutes without %s: nothing is lost, and what is so is told once`,
  async (service) => {
    const it = cloud(service)
    await it.run()
    expect(it.dead).toEqual([])
    const outOfStep = it.subjects().filter((subject) => subject.includes('out of step'))
    // EKS says for which cluster people hear that it cannot be told; only after five minutes, and once.
    const cannotTell = it.subjects().filter((subject) => subject.includes('cannot tell'))
    expect([outOfStep.length, cannotTell.length]).toEqual([1, service === 'EKS' ? 1 : 0])
    expect(it.subjects()).toHaveLength(outOfStep.length + cannotTell.length)
  },
)
