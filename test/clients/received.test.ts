import { beforeEach, describe, expect, test } from '@jest/globals'
import { ChangeMessageVisibilityCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { SQSRecord } from 'aws-lambda'
import { mockClient } from 'aws-sdk-client-mock'
import { received } from '../../shared/clients/aws/received.ts'

const sqs = mockClient(SQSClient)
beforeEach(() => void sqs.reset())

const urls = { queue: 'https://sqs.example/1/work', deadLetters: 'https://sqs.example/1/dead' }
const messages = received(new SQSClient({ region: 'eu-west-1' }), urls)
const record = (attributes: object = {}) =>
  ({ messageId: 'm-1', body: '{"a":1}', receiptHandle: 'h-1', attributes }) as unknown as SQSRecord
const sent = () => sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)

describe('a dead letter', () => {
  test('is the message as it was, with the reason beside it', async () => {
    await messages.bury(record(), 'Slack refused\u001b[31m it\nwith 404')
    expect(sent()).toEqual([
      {
        QueueUrl: urls.deadLetters,
        MessageBody: '{"a":1}',
        MessageAttributes: {
          reason: { DataType: 'String', StringValue: 'Slack refused\ufffd[31m it with 404' },
          messageId: { DataType: 'String', StringValue: 'm-1' },
        },
      },
    ])
  })

  test('of a queue with groups stays in its group, and twice is once', async () => {
    await messages.bury(record({ MessageGroupId: '1/eu-west-1/prod', MessageDeduplicationId: 'd' }), 'x')
    expect(sent()).toEqual([
      expect.objectContaining({ MessageGroupId: '1/eu-west-1/prod', MessageDeduplicationId: 'm-1' }),
    ])
  })

  test('of a standard queue stays in its group, without an id, which such a queue refuses', async () => {
    await messages.bury(record({ MessageGroupId: '1/eu-west-1/prod' }), 'x')
    expect(sent()[0]).toMatchObject({ MessageGroupId: '1/eu-west-1/prod' })
    expect(sent()[0]).not.toHaveProperty('MessageDeduplicationId')
  })

  test('has a reason of bounded length, and never none: SQS refuses an empty value', async () => {
    await messages.bury(record(), 'x'.repeat(1e6))
    await messages.bury(record(), ' \n')
    const reasons = sent().map(({ MessageAttributes }) => MessageAttributes?.['reason']?.StringValue)
    expect(reasons[0]).toHaveLength(1_000)
    expect(reasons[1]).toBe('no reason')
  })
})

test.each([
  [17, 17],
  [0, 1],
  [1.2, 2],
  [1e9, 43_200],
])('a message postponed by %d s comes back after %d s', async (asked, seconds) => {
  await messages.postpone(record(), asked)
  expect(sqs.commandCalls(ChangeMessageVisibilityCommand).map(({ args }) => args[0].input)).toEqual([
    { QueueUrl: urls.queue, ReceiptHandle: 'h-1', VisibilityTimeout: seconds },
  ])
})
