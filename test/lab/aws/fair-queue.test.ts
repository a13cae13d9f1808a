import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createKeyring } from '../../../lab/aws/keyring.ts'
import { type Message, type Queues, startQueues } from '../../../lab/aws/queues.ts'
import { resolveTemplate, type Stack } from '../../../lab/aws/template.ts'

let queues: Queues
let stack: Stack
const queueUrl = () => stack.ofType('AWS::SQS::Queue')[0]?.ref ?? ''

beforeEach(async () => {
  queues = await startQueues({ region: 'eu-west-1', keyring: createKeyring() })
  const template = { Resources: { Work: { Type: 'AWS::SQS::Queue' } } }
  const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: queues.url }
  stack = resolveTemplate({ template, folder: '/tmp', stackName: 'Test' }, at)
  await queues.deploy(stack)
})
afterEach(() => queues.stop())

const send = async (groupId: string | undefined, count = 1) => {
  for (let sent = 0; sent < count; sent += 1)
    await queues.send({ queueUrl: queueUrl(), body: groupId ?? 'alone', ...(groupId !== undefined && { groupId }) })
}
const take = async (count: number): Promise<Message[]> => {
  const taken: Message[] = []
  while (taken.length < count) taken.push(...(await queues.receive(queueUrl(), Math.min(10, count - taken.length), 0)))
  return taken
}
const next = async () => (await take(1))[0]?.Body

describe('a standard queue whose messages have groups', () => {
  test('keeps the group, and hands out the oldest message first while no group is noisy', async () => {
    await send('a', 2)
    await send('b')
    const [first] = await take(1)
    expect(first).toMatchObject({ Body: 'a', Attributes: { MessageGroupId: 'a' } })
    // Nobody's time was taken yet.
    await queues.remove(queueUrl(), first?.ReceiptHandle ?? '')
  })

  test('hands out what is of others first, where one group has thirty messages in flight and more than a tenth of all', async () => {
    await send('storm', 40)
    await take(30)
    await send('quiet')
    expect(await next()).toBe('quiet')
    expect(await next()).toBe('storm')
  })

  test('hands out what is of others first, where one group has taken more than a tenth of the time', async () => {
    await send('slow', 3)
    const [first] = await take(1)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await queues.remove(queueUrl(), first?.ReceiptHandle ?? '')
    await send('quiet')
    expect(await next()).toBe('quiet')
  })

  test('takes each message without a group for one of its own, and forgets who was noisy when its backlog is gone', async () => {
    await send('storm', 31)
    await take(30)
    await send(undefined, 2)
    expect(await next()).toBe('alone')
    expect(await next()).toBe('alone')
    expect(await next()).toBe('storm')
  })
})
