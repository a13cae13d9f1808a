import { beforeEach, describe, expect, test } from '@jest/globals'
import {
  SendMessageBatchCommand,
  type SendMessageBatchCommandInput,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { mockClient } from 'aws-sdk-client-mock'
import { queues } from '../../shared/clients/aws/queues.ts'
import type { Evaluation } from '../../shared/messages.ts'

const sqs = mockClient(SQSClient)
const urls = {
  evaluations: 'https://sqs/1/evaluations',
  rolloutSteps: 'https://sqs/1/rollout-steps.fifo',
  tellings: 'https://sqs/1/tellings',
}
const client = queues(new SQSClient({ region: 'eu-west-1' }), urls)
const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod' }
const evaluation = (name = 'prod'): Evaluation => ({ schemaVersion: 1, cluster: { ...cluster, name }, reason: 'sweep' })
const sent = () => sqs.commandCalls(SendMessageCommand).map(({ args }) => args[0].input)

beforeEach(() => {
  sqs.reset()
  sqs.on(SendMessageCommand).resolves({})
})

test.each([
  [undefined, 0],
  [30, 30],
  [0.2, 1],
  [5_000, 900],
  [-1, 0],
])('a delay of %s seconds is sent as %s: SQS takes whole seconds up to 900', async (delaySeconds, expected) => {
  await client.sendEvaluation(evaluation(), delaySeconds === undefined ? {} : { delaySeconds })
  expect(sent()).toEqual([
    {
      QueueUrl: urls.evaluations,
      MessageBody: JSON.stringify(evaluation()),
      DelaySeconds: expected,
      MessageGroupId: '111122223333/eu-west-1/prod',
    },
  ])
})

describe('a rollout step', () => {
  const step = { schemaVersion: 1 as const, cluster, begin: true }

  test('goes into the group of its cluster, without a delay, which a FIFO queue refuses', async () => {
    await client.sendRolloutStep(step, 'm-1/next')
    const expected = {
      QueueUrl: urls.rolloutSteps,
      MessageBody: JSON.stringify(step),
      MessageGroupId: '111122223333/eu-west-1/prod',
      MessageDeduplicationId: 'm-1/next',
    }
    expect(sent()).toEqual([expected])
  })

  test('with an id too long or with signs SQS refuses is deduplicated by the hash of it', async () => {
    for (const id of ['x'.repeat(129), 'x'.repeat(129), 'with a blank', 'ü']) await client.sendRolloutStep(step, id)
    const ids = sent().map(({ MessageDeduplicationId }) => MessageDeduplicationId)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(ids).size).toBe(3)
  })
})

test('a notice to be sent is in the group of the cluster that it speaks of', async () => {
  await client.sendTelling({ schemaVersion: 1, tell: { cluster: 'deployment', hash: 'a'.repeat(32) } })
  expect(sent()[0]).toMatchObject({ QueueUrl: urls.tellings, MessageGroupId: 'deployment' })
})

describe('the evaluations of a sweep', () => {
  const allBut = (refused: string[]) => (input: SendMessageBatchCommandInput) => ({
    Successful: (input.Entries ?? [])
      .filter(({ Id }) => !refused.includes(Id ?? ''))
      .map(({ Id }) => ({ Id, MessageId: `m-${Id}`, MD5OfMessageBody: '' })),
    Failed: refused.map((Id) => ({ Id, SenderFault: false, Code: 'InternalError' })),
  })
  const names = Array.from({ length: 23 }, (_, index) => `c${index}`)
  const batches = () => sqs.commandCalls(SendMessageBatchCommand).map(({ args }) => args[0].input.Entries ?? [])

  test('go ten a call', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(allBut([]))
    await client.sendEvaluations(names.map(evaluation))
    expect(batches().map((entries) => entries.length)).toEqual([10, 10, 3])
    expect(
      batches()
        .flat()
        .map(({ MessageBody }) => JSON.parse(MessageBody ?? '').cluster.name),
    ).toEqual(names)
  })

  test('are each in the group of its cluster, so that many of one hold up no other', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(allBut([]))
    await client.sendEvaluations(names.slice(0, 2).map(evaluation))
    expect(
      batches()
        .flat()
        .map(({ MessageGroupId }) => MessageGroupId),
    ).toEqual(['111122223333/eu-west-1/c0', '111122223333/eu-west-1/c1'])
  })

  test('that SQS refused are sent again, those alone', async () => {
    const answers = [allBut(['7']), allBut([])]
    sqs.on(SendMessageBatchCommand).callsFake((input) => (answers.shift() ?? allBut([]))(input))
    await client.sendEvaluations(names.slice(0, 10).map(evaluation))
    expect(
      batches()
        .at(-1)
        ?.map(({ MessageBody }) => JSON.parse(MessageBody ?? '').cluster.name),
    ).toEqual(['c7'])
  })

  test('that SQS refuses twice are an error that counts them', async () => {
    sqs.on(SendMessageBatchCommand).callsFake(allBut(['0']))
    await expect(client.sendEvaluations(names.slice(0, 5).map(evaluation))).rejects.toThrow('rejected 1 of 5')
  })

  test('that an answer without a body does not confirm are not counted as sent', async () => {
    sqs.on(SendMessageBatchCommand).resolves({})
    await expect(client.sendEvaluations(names.slice(0, 5).map(evaluation))).rejects.toThrow('rejected 5 of 5')
  })

  test('none: nothing is sent', async () => {
    await client.sendEvaluations([])
    expect(batches()).toEqual([])
  })
})
