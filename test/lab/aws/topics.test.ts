import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { PublishBatchCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { createKeyring } from '../../../lab/aws/keyring.ts'
import { type Queues, startQueues } from '../../../lab/aws/queues.ts'
import { resolveTemplate } from '../../../lab/aws/template.ts'
import type { Delivery } from '../../../lab/aws/topics.ts'

const keyring = createKeyring()
const credentials = keyring.forUser('arn:aws:iam::111122223333:user/operator')
const TopicArn = 'arn:aws:sns:eu-west-1:000000000000:Test-Notices'

let queues: Queues
let sns: SNSClient
let delivered: Delivery[] = []

const subscription = (Protocol: string, Endpoint: unknown, more: object = {}) => ({
  Type: 'AWS::SNS::Subscription',
  Properties: { TopicArn: { Ref: 'Notices' }, Protocol, Endpoint, ...more },
})
const Queue = { Type: 'AWS::SQS::Queue' }
const resources = {
  Raw: Queue,
  Wrapped: Queue,
  Notices: {
    Type: 'AWS::SNS::Topic',
    Properties: { Subscription: [{ Protocol: 'email', Endpoint: 'all@example.com' }] },
  },
  ToRaw: subscription('sqs', { 'Fn::GetAtt': ['Raw', 'Arn'] }, { RawMessageDelivery: true }),
  ToWrapped: subscription('sqs', { 'Fn::GetAtt': ['Wrapped', 'Arn'] }),
  ToPager: subscription('email', 'pager@example.com', {
    FilterPolicy: { severity: ['critical'], nodes: [{ numeric: ['>', 2] }] },
  }),
  ToChat: subscription('https', 'https://chat.example.com'),
}

const stackOf = (Resources: object) =>
  resolveTemplate(
    { template: { Resources }, folder: '/tmp', stackName: 'Test' },
    { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: queues.url },
  )

beforeAll(async () => {
  queues = await startQueues({
    region: 'eu-west-1',
    keyring,
    onDelivery: (delivery) => void delivered.push(delivery),
  })
  await queues.deploy(stackOf(resources))
  sns = new SNSClient({ region: 'eu-west-1', endpoint: queues.url, credentials, maxAttempts: 1 })
})
beforeEach(() => void (delivered = []))
afterAll(() => queues.stop())

const attribute = (DataType: string, StringValue: string) => ({ DataType, StringValue })

describe('a topic', () => {
  test('reaches queues, bare or in SNS’s envelope, and people', async () => {
    await sns.send(new PublishCommand({ TopicArn, Subject: 'prod-1', Message: 'out of step' }))
    expect(await queues.peek('Test-Raw')).toEqual(['out of step'])
    expect(JSON.parse((await queues.peek('Test-Wrapped'))[0] ?? '')).toMatchObject({
      Type: 'Notification',
      TopicArn,
      Subject: 'prod-1',
      Message: 'out of step',
    })
    expect(delivered.map(({ endpoint, subject, message }) => `${endpoint}: ${subject}, ${message}`).toSorted()).toEqual(
      ['all@example.com: prod-1, out of step', 'https://chat.example.com: prod-1, out of step'],
    )
  })

  test('gives each protocol its own text, and its default to the others', async () => {
    const Message = JSON.stringify({ default: 'plain', email: 'Dear operator', https: '{"version":"1.0"}' })
    await sns.send(new PublishCommand({ TopicArn, MessageStructure: 'json', Message }))
    expect((await queues.peek('Test-Raw')).at(-1)).toBe('plain')
    expect(delivered.map(({ protocol, message }) => `${protocol}: ${message}`).toSorted()).toEqual([
      'email: Dear operator',
      'https: {"version":"1.0"}',
    ])
    const call = sns.send(new PublishCommand({ TopicArn, MessageStructure: 'json', Message: '{"email":"x"}' }))
    await expect(call).rejects.toMatchObject({ message: expect.stringContaining('No default entry') })
  })

  test('keeps back from a subscriber what its filter does not want', async () => {
    const publish = (severity: string, nodes: string) =>
      sns.send(
        new PublishCommand({
          TopicArn,
          Message: `${severity} ${nodes}`,
          MessageAttributes: { severity: attribute('String', severity), nodes: attribute('Number', nodes) },
        }),
      )
    await publish('warning', '3')
    await publish('critical', '1')
    await publish('critical', '3')
    const paged = delivered.filter(({ endpoint }) => endpoint === 'pager@example.com')
    expect(paged.map(({ message }) => message)).toEqual(['critical 3'])
  })

  test('says plainly what the lab’s SNS cannot do', async () => {
    const batch = new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: '1', Message: 'x' }] })
    await expect(sns.send(batch)).rejects.toMatchObject({ message: 'The lab knows Publish only' })
    const toLambda = { Notices: { Type: 'AWS::SNS::Topic' }, Fn: subscription('lambda', 'arn:aws:lambda:x') }
    await expect(queues.deploy(stackOf(toLambda))).rejects.toThrow('reaches functions through queues only')
  })
})
