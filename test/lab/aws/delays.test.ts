import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { expect, test } from '@jest/globals'
import { createKeyring } from '../../../lab/aws/keyring.ts'
import { startQueues } from '../../../lab/aws/queues.ts'
import { resolveTemplate } from '../../../lab/aws/template.ts'

test('messages of a queue wait as the lab is told, those of another as they ask', async () => {
  const keyring = createKeyring()
  const delays = { Hasty: (seconds: number) => seconds / 1_000 }
  const queues = await startQueues({ region: 'eu-west-1', keyring, delays })
  const template = { Resources: { Hasty: { Type: 'AWS::SQS::Queue' }, Patient: { Type: 'AWS::SQS::Queue' } } }
  const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: queues.url }
  const stack = resolveTemplate({ template, folder: '/tmp', stackName: 'Test' }, at)
  await queues.deploy(stack)
  const credentials = keyring.forUser('arn:aws:iam::111122223333:user/alice')
  const sqs = new SQSClient({ region: 'eu-west-1', endpoint: queues.url, credentials })
  const [hasty = '', patient = ''] = stack.ofType('AWS::SQS::Queue').map(({ ref }) => ref)
  for (const QueueUrl of [hasty, patient])
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'later', DelaySeconds: 60 }))
  expect(await queues.receive(hasty, 1, 1)).toMatchObject([{ Body: 'later' }])
  expect(await queues.receive(patient, 1, 0)).toEqual([])
  sqs.destroy()
  await queues.stop()
})
