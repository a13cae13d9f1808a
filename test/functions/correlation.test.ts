import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import {
  SendMessageBatchCommand,
  type SendMessageBatchCommandInput,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import type { Context, SQSEvent } from 'aws-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { notices } from '../../shared/clients/aws/notices.ts'
import { queues } from '../../shared/clients/aws/queues.ts'
import { lambda, worker } from '../../shared/handler.ts'
import { evaluation, rolloutStepMessage } from '../../shared/messages.ts'

const context = { awsRequestId: 'r-1', functionName: 'f', getRemainingTimeInMillis: () => 30_000 } as Context
const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod' }
const place = { cluster: '111122223333/eu-west-1/prod', account: '111122223333', region: 'eu-west-1' }
const sqs = mockClient(SQSClient)
const sns = mockClient(SNSClient)
const out = queues(new SQSClient({ region: 'eu-west-1' }), { evaluations: 'https://e', rolloutSteps: 'https://s' })

const written: string[] = []
const lines = () =>
  written.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as Record<string, unknown>)
beforeEach(() => {
  written.length = 0
  sqs.reset()
  sqs.on(SendMessageBatchCommand).callsFake(({ Entries }: SendMessageBatchCommandInput) => ({ Successful: Entries }))
  sns.reset()
  sns.on(PublishCommand).resolves({ MessageId: 'm-1' })
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
})
afterEach(() => void jest.restoreAllMocks())

const recordOf = (body: object) =>
  ({
    Records: [{ messageId: 'm-1', body: JSON.stringify(body), receiptHandle: 'h', attributes: {} }],
  }) as unknown as SQSEvent
const received = { bury: async () => undefined, postpone: async () => undefined }
const bodies = () => [
  ...sqs.commandCalls(SendMessageCommand).map(({ args: [{ input }] }) => JSON.parse(input.MessageBody ?? '') as object),
  ...sqs
    .commandCalls(SendMessageBatchCommand)
    .flatMap(({ args: [{ input }] }) => (input.Entries ?? []).map((it) => JSON.parse(it.MessageBody ?? '') as object)),
]

describe('the correlation id', () => {
  test('is that of the event, stands on each line and goes on with what the event leads to', async () => {
    const handler = lambda('on-event', async (_: unknown, log) => {
      log('event', { cluster: place.cluster })
      await out.sendEvaluation({ schemaVersion: 1, cluster, reason: 'event' })
    })
    await handler({ id: '8f0c-11', source: 'aws.eks' }, context)
    expect(lines()).toMatchObject([{ message: 'event', correlationId: '8f0c-11', ...place }])
    expect(bodies()).toMatchObject([{ correlationId: '8f0c-11' }])
    expect(evaluation.safeParse(bodies()[0]).success).toBe(true)
  })

  test('goes on from message to message, with the cluster on lines that do not name it', async () => {
    const handler = worker('evaluate', {
      schema: evaluation,
      received,
      work: async (message, { log }) => {
        log('brake cannot be read', { why: 'throttled' })
        await out.sendRolloutStep({ schemaVersion: 1, cluster: message.cluster, begin: true }, 'id')
        await out.sendEvaluations([{ schemaVersion: 1, cluster: message.cluster, reason: 'follow' }])
      },
    })
    await handler(recordOf({ schemaVersion: 1, cluster, reason: 'event', correlationId: '8f0c-11' }), context)
    expect(lines()).toMatchObject([{ message: 'brake cannot be read', correlationId: '8f0c-11', ...place }])
    expect(bodies()).toMatchObject([{ begin: true, correlationId: '8f0c-11' }, { correlationId: '8f0c-11' }])
    expect(rolloutStepMessage.safeParse(bodies()[0]).success).toBe(true)
  })

  test('reaches people: it is an attribute of the notice, and Slack’s function reads it there', async () => {
    const topic = notices(new SNSClient({ region: 'eu-west-1' }), {
      topicArn: 'arn:aws:sns:eu-west-1:111122223333:notices',
    })
    const tell = { cluster: place.cluster, hash: '0'.repeat(32) }
    const handler = worker('evaluate', {
      schema: evaluation,
      received,
      work: () => topic.publish({ subject: 's', text: 't', attributes: { severity: 'info', cluster: 'prod' } }),
    })
    await handler(recordOf({ schemaVersion: 1, cluster, reason: 'event', tell, correlationId: '8f0c-11' }), context)
    const [call] = sns.commandCalls(PublishCommand)
    const attribute = call?.args[0].input.MessageAttributes?.['correlationId']
    expect(attribute).toEqual({ DataType: 'String', StringValue: '8f0c-11' })
    const slack = lambda('notify-slack', async (_: unknown, log) => log('posted', {}))
    await slack({ MessageAttributes: { correlationId: { Type: 'String', Value: '8f0c-11' } } }, context)
    expect(lines().at(-1)).toMatchObject({ message: 'posted', correlationId: '8f0c-11' })
  })

  test.each([7, '', 'x'.repeat(129), 'a\nb', '{"level":"INFO"}', null])(
    'of another form (%j) counts as nothing: the message has its own',
    async (forged) => {
      const handler = worker('evaluate', { schema: evaluation, received, work: async (_, { log }) => log('x', {}) })
      await handler(recordOf({ schemaVersion: 1, cluster, reason: 'event', correlationId: forged }), context)
      expect(lines()).toMatchObject([{ correlationId: 'm-1', ...place }])
    },
  )

  test('is on the line of a failure, with the place of the cluster', async () => {
    const handler = worker('evaluate', {
      schema: evaluation,
      received,
      work: async () => {
        throw new Error('no')
      },
    })
    await handler(recordOf({ schemaVersion: 1, cluster, reason: 'event', correlationId: '8f0c-11' }), context)
    expect(lines()).toMatchObject([{ message: 'message failed', correlationId: '8f0c-11', ...place }])
    const broken = lambda('sweep', async () => {
      throw new Error('no')
    })
    await expect(broken({ id: 'sweep-7' }, context)).rejects.toThrow('no')
    expect(lines().at(-1)).toMatchObject({ message: 'failed', correlationId: 'sweep-7', error: { message: 'no' } })
  })
})
