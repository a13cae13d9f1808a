import { beforeEach, expect, test } from '@jest/globals'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { mockClient } from 'aws-sdk-client-mock'
import { notices, subjectOf } from '../../shared/clients/aws/notices.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'

const sns = mockClient(SNSClient)
const client = notices(new SNSClient({ region: 'eu-west-1' }), {
  topicArn: 'arn:aws:sns:eu-west-1:111122223333:notices',
})
const notice: OutgoingNotice = {
  subject: 'prod is out of step',
  text: 'line\n„quoted“',
  attributes: {
    severity: 'warning',
    cluster: 'prod',
    account: '111122223333',
    region: 'eu-west-1',
    verdict: 'out-of-step',
  },
}

beforeEach(() => {
  sns.reset()
  sns.on(PublishCommand).resolves({ MessageId: 'm-1' })
})
const published = () => sns.commandCalls(PublishCommand).map(({ args }) => args[0].input)

test('a notice that SNS answers without a message id is not taken for sent', async () => {
  sns.on(PublishCommand).resolves({})
  await expect(client.publish(notice)).rejects.toThrow('without a message id')
})

test('a notice carries what subscribers filter by', async () => {
  await client.publish(notice)
  const text = (StringValue: string) => ({ DataType: 'String', StringValue })
  expect(published()).toEqual([
    {
      TopicArn: 'arn:aws:sns:eu-west-1:111122223333:notices',
      Subject: 'prod is out of step',
      MessageStructure: 'json',
      Message: expect.any(String),
      MessageAttributes: {
        kind: text('trouble'),
        severity: text('warning'),
        cluster: text('prod'),
        account: text('111122223333'),
        region: text('eu-west-1'),
        verdict: text('out-of-step'),
      },
    },
  ])
  const console = 'https://eu-west-1.console.aws.amazon.com/eks/clusters/prod?region=eu-west-1'
  const { default: mail, sqs } = JSON.parse(published()[0]?.Message ?? '{}') as Record<string, string>
  expect(mail).toBe(`line\n„quoted“\n\nConsole: ${console}`)
  expect(JSON.parse(sqs ?? '')).toEqual({
    schemaVersion: 1,
    subject: 'prod is out of step',
    text: 'line\n„quoted“',
    severity: 'warning',
    kind: 'trouble',
    links: [{ label: 'Console', url: console }],
  })
})

test('attributes without a value are left out: SNS refuses empty ones', async () => {
  await client.publish({ ...notice, attributes: { severity: 'info', cluster: 'c', account: '' } })
  expect(Object.keys(published()[0]?.MessageAttributes ?? {})).toEqual(['kind', 'severity', 'cluster'])
})

test('a text beyond what SNS takes is cut and says so', async () => {
  await client.publish({ ...notice, text: '€'.repeat(400_000) })
  const message = published()[0]?.Message ?? ''
  expect(Buffer.byteLength(message)).toBeLessThan(256 * 1024)
  expect(message).toContain('shortened')
})

test.each([
  ['prod – out of step', 'prod - out of step'],
  ['two\nlines', 'two lines'],
  ['Zürich', 'Zurich'],
  ['日本', 'calico-ipvs-sync'],
  ['x'.repeat(101), `${'x'.repeat(97)}...`],
  [
    `[critical] ${'a'.repeat(60)}-prod (111122223333 eu-central-1): Calico is out of step with kube-proxy`,
    '[critical] aaaaaaaaaa...aaaa-prod (111122223333 eu-central-1): Calico is out of step with kube-proxy',
  ],
])('SNS takes 100 characters of ASCII as a subject: %j', (subject, expected) => {
  expect(subjectOf(subject)).toBe(expected)
})
