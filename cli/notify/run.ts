import { readFile } from 'node:fs/promises'
import { SNSClient } from '@aws-sdk/client-sns'
import { awsFailure } from '../../shared/clients/aws/failure.ts'
import { bounded, limited } from '../../shared/clients/aws/limits.ts'
import { notices } from '../../shared/clients/aws/notices.ts'
import { slack } from '../../shared/clients/slack.ts'
import { whyUnread } from '../../shared/clients/unread-file.ts'
import type { OutgoingNotice } from '../../shared/domain/notice/outgoing.ts'
import { slackNotice } from '../../shared/domain/notice/slack-form.ts'
import { Failure, UsageError } from '../failure.ts'
import type { NotifyOptions } from './notify.ts'
import { isWithoutCredentials, withoutCredentials } from '../target/login-fix.ts'
import { sdkOptions, withProxiedFetch } from '../target/sdk-options.ts'

export interface Sent {
  what: string
  /** What to check, in this order. */
  check: string[]
}

export const notify = (options: NotifyOptions): Promise<Sent> => {
  const { topic, slackWebhookFile = '' } = options
  const notice = testNotice(options, new Date().toISOString())
  return topic === undefined ? toSlack(slackWebhookFile, notice) : toTopic(topic, options, notice)
}

const testNotice = ({ severity }: NotifyOptions, at: string): OutgoingNotice => ({
  subject: `[${severity}] calico-ipvs-sync: test notice`,
  text: [
    'This is a test notice of calico-ipvs-sync. Nobody has to act.',
    'It was sent manually: calico-ipvs-sync notify --test',
    `As of ${at}.`,
  ].join('\n\n'),
  attributes: { severity, kind: 'test', cluster: '*' },
  about: { at, causes: ['test'] },
})

const toTopic = async (topicArn: string, options: NotifyOptions, notice: OutgoingNotice): Promise<Sent> => {
  const [, , , ofArn = '', account = ''] = /^arn:[a-z-]+:sns:[^:]+:\d{12}:[\w.-]+$/.test(topicArn)
    ? topicArn.split(':')
    : []
  if (ofArn === '') throw new UsageError(`${topicArn} is not the ARN of a topic: arn:aws:sns:REGION:ACCOUNT:NAME.`)
  const { region = ofArn, format, severity } = options
  if (region !== ofArn) throw new UsageError(`The topic is in ${ofArn}, and --region is ${region}.`)
  const sns = bounded(new SNSClient({ region, ...limited, ...(await sdkOptions()) }))
  await notices(sns, { topicArn, format })
    .publish(notice)
    .catch((error: unknown) => {
      throw refusedBy(error, topicArn)
    })
    .finally(() => sns.destroy())
  const list = `aws sns list-subscriptions-by-topic --topic-arn ${topicArn} --region ${region}`
  return {
    what: `A test notice of severity ${severity} was sent to the topic ${topicArn} (account ${account}, ${region}).`,
    check: [
      `Subscriptions: ${list}`,
      'No mail: PendingConfirmation in that list means that the subscription was not confirmed. Check the spam folder.',
      'A route with conditions receives it only if they match: it has this severity, kind test, and no account, region, cluster or tag.',
      format === 'chat'
        ? 'Nothing in the chat: the channel must be configured with this topic in Amazon Q Developer in chat applications.'
        : 'Nothing in a channel of Amazon Q: it drops messages in another format; send it with --format chat.',
    ],
  }
}

const refusedBy = (error: unknown, topicArn: string): Failure => {
  const failure = awsFailure(error, 'sns:Publish')
  const { kind, message } = failure
  switch (kind) {
    case 'denied':
      return new Failure(
        `You may not publish to ${topicArn}: ${message}`,
        'allow your role sns:Publish on the topic, and kms:GenerateDataKey and kms:Decrypt on its key',
      )
    case 'unauthenticated':
      return isWithoutCredentials(failure)
        ? withoutCredentials(failure)
        : new Failure(`AWS does not accept your identity: ${message}`, 'aws sts get-caller-identity')
    default:
      return new Failure(
        `SNS did not accept the notice: ${message}`,
        `check that ${topicArn} exists and can be reached`,
      )
  }
}

const toSlack = async (file: string, notice: OutgoingNotice): Promise<Sent> => {
  const secret = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure(`The file ${file} cannot be read: ${whyUnread(error)}.`)
  })
  withProxiedFetch()
  await slack({ secret: async () => secret, secretName: file })
    .post(slackNotice(notice, []))
    .catch((error: unknown) => {
      throw new Failure(error instanceof Error ? error.message : String(error))
    })
  return {
    what: `A test notice was posted to Slack with the secret in ${file}.`,
    check: [
      'Check the channel of the webhook or bot: the message is there now.',
      'In the deployment, the secret of slackWebhookSecretArn, or of a route, must contain the same text.',
    ],
  }
}
