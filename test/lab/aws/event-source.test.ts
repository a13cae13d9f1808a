import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { type Batch, type EventSources, startEventSources } from '../../../lab/aws/event-source.ts'
import { createKeyring } from '../../../lab/aws/keyring.ts'
import type { Functions, Invocation } from '../../../lab/aws/lambda.ts'
import { type Queues, startQueues } from '../../../lab/aws/queues.ts'
import { resolveTemplate, type Stack } from '../../../lab/aws/template.ts'
import { until } from '../../until.ts'

type Records = { messageId: string; body: string; attributes: Record<string, string> }[]

let queues: Queues
let stack: Stack
let sources: EventSources
let batches: Batch[]
let received: string[][]
let faults: string[]

const queueUrl = () => stack.ofType('AWS::SQS::Queue').find(({ logicalId }) => logicalId === 'Work')?.ref ?? ''
const lost = () => queues.peek('Test-Lost')
const isEmpty = async () => (await queues.counts())['Test-Work'] === 0

/** A mapping with these properties from a queue that gives up after two tries, to a function that is only `answer`. */
async function start(mapping: object, answer: (records: Records) => unknown, copies = 1): Promise<void> {
  const Work = {
    Type: 'AWS::SQS::Queue',
    Properties: {
      VisibilityTimeout: 60,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Lost', 'Arn'] }, maxReceiveCount: 2 },
    },
  }
  const Mapping = {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: { 'Fn::GetAtt': ['Work', 'Arn'] }, FunctionName: { Ref: 'Fn' }, ...mapping },
  }
  const Resources = { Lost: { Type: 'AWS::SQS::Queue' }, Work, Fn: { Type: 'AWS::Lambda::Function' }, Mapping }
  const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: queues.url }
  stack = resolveTemplate({ template: { Resources }, folder: '/tmp', stackName: 'Test' }, at)
  await queues.deploy(stack)
  const functions: Functions = {
    invoke: async (_arn, event) => {
      const { Records } = event as { Records: Records }
      received.push(Records.map(({ body }) => body))
      const done = { name: 'Fn', requestId: 'r', duration: 0, event }
      try {
        const payload = JSON.stringify((await answer(Records)) ?? null)
        return { ...done, result: { payload } } satisfies Invocation
      } catch (error) {
        return { ...done, result: { error: { errorType: 'Error', errorMessage: String(error) } } } satisfies Invocation
      }
    },
    running: () => 0,
    kill: async () => 0,
    stop: async () => undefined,
  }
  sources = startEventSources(stack, {
    queues,
    functions,
    timeScale: 0.001,
    copies,
    onBatch: (batch) => void batches.push(batch),
    onFault: ({ message }) => void faults.push(message),
  })
}

const sendAll = async (...bodies: string[]) => {
  for (const body of bodies) await queues.send({ queueUrl: queueUrl(), body, attributes: { kind: 'test' } })
}

beforeEach(async () => {
  batches = []
  received = []
  faults = []
  queues = await startQueues({ region: 'eu-west-1', keyring: createKeyring() })
})
afterEach(async () => {
  sources.stop()
  await queues.stop()
  await sources.ended
})

describe('an event source mapping', () => {
  test('hands over records as Lambda does and deletes what was done', async () => {
    let record: Records[number] | undefined
    await start({ BatchSize: 1 }, ([first]) => void (record = first))
    await sendAll('hello')
    await until('an empty queue', isEmpty)
    expect(record).toMatchObject({
      body: 'hello',
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiptHandle: expect.any(String),
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: expect.any(String),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        kind: { stringValue: 'test', stringListValues: [], binaryListValues: [], dataType: 'String' },
      },
      md5OfBody: '5d41402abc4b2a76b9719d911017c592',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-west-1:000000000000:Test-Work',
      awsRegion: 'eu-west-1',
    })
    expect(await lost()).toEqual([])
  })

  test('a function that fails gets the message again, until the queue gives up', async () => {
    await start({ BatchSize: 1 }, () => {
      throw new Error('not today')
    })
    await sendAll('x')
    await until('the dead letter', async () => (await lost()).length === 1)
    expect(received).toEqual([['x'], ['x']])
    expect(batches.map(({ failed }) => failed.length)).toEqual([1, 1])
  })

  test('where SQS delivers twice, a message that was handled well comes once more, and then no more', async () => {
    await start({ BatchSize: 1 }, () => undefined, 2)
    await sendAll('x')
    await until('an empty queue', isEmpty)
    expect(received).toEqual([['x'], ['x']])
    expect(new Set(batches.flatMap(({ messages }) => messages.map(({ MessageId }) => MessageId))).size).toBe(1)
    expect(await lost()).toEqual([])
  })

  test('only the messages that are reported stay', async () => {
    const badOnes = (records: Records) => records.filter(({ body }) => body === 'bad')
    await start({ BatchSize: 10, FunctionResponseTypes: ['ReportBatchItemFailures'] }, (records) => ({
      batchItemFailures: badOnes(records).map(({ messageId }) => ({ itemIdentifier: messageId })),
    }))
    await sendAll('good', 'bad', 'fine')
    await until('the dead letter', async () => (await lost()).length === 1 && (await isEmpty()))
    expect(await lost()).toEqual(['bad'])
    expect(received.flat().filter((body) => body === 'good')).toHaveLength(1)
  })

  test('without ReportBatchItemFailures the same answer is a success', async () => {
    await start({ BatchSize: 1 }, (records) => ({ batchItemFailures: [{ itemIdentifier: records[0]?.messageId }] }))
    await sendAll('x')
    await until('an empty queue', isEmpty)
    expect(received).toHaveLength(1)
    expect(await lost()).toEqual([])
  })

  test('an answer that names a message not in the batch fails the whole batch', async () => {
    await start({ BatchSize: 1, FunctionResponseTypes: ['ReportBatchItemFailures'] }, () => ({
      batchItemFailures: [{ itemIdentifier: '' }],
    }))
    await sendAll('x')
    await until('the dead letter', async () => (await lost()).length === 1)
    expect(received).toHaveLength(2)
  })

  test('no more batches are under way than the maximum concurrency', async () => {
    let [now, most] = [0, 0]
    await start({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } }, async () => {
      now += 1
      most = Math.max(most, now)
      await delay(20)
      now -= 1
    })
    await sendAll('1', '2', '3', '4', '5')
    await until('an empty queue', isEmpty)
    expect(received).toHaveLength(5)
    expect(most).toBe(2)
  })

  test('what the filters do not want is deleted unseen', async () => {
    const Filters = [{ Pattern: '{"body":{"reason":["event"]}}' }]
    await start({ BatchSize: 1, FilterCriteria: { Filters } }, () => undefined)
    await sendAll('{"reason":"sweep"}', '{"reason":"event"}', 'no JSON')
    await until('an empty queue', isEmpty)
    expect(received).toEqual([['{"reason":"event"}']])
    expect(await lost()).toEqual([])
  })

  test('a queue that cannot be reached is a fault; the poller goes on', async () => {
    await start({ BatchSize: 1 }, () => undefined)
    const { remove } = queues
    queues.remove = async (...message) => {
      queues.remove = remove
      await remove(...message)
      throw new Error('connection reset')
    }
    await sendAll('1', '2')
    await until('an empty queue', isEmpty)
    expect(received).toEqual([['1'], ['2']])
    expect(faults).toEqual(['connection reset'])
  })

  test('a window gathers a batch', async () => {
    await start({ BatchSize: 10, MaximumBatchingWindowInSeconds: 100 }, () => undefined)
    await sendAll('1', '2', '3')
    await until('an empty queue', isEmpty)
    expect(received.flat()).toEqual(['1', '2', '3'])
    expect(received.length).toBeLessThan(3)
  })
})
