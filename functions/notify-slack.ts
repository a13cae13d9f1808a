import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod/mini'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { received } from '../shared/clients/aws/received.ts'
import { slackThreads } from '../shared/clients/aws/slack-threads.ts'
import { secretIn, slack } from '../shared/clients/slack.ts'
import { slackNoticeIn } from '../shared/clients/slack-notice.ts'
import { worker } from '../shared/handler.ts'
import { readSettings } from '../shared/settings.ts'
import { notifySlackSettings } from '../shared/notice-settings.ts'

const settings = readSettings(notifySlackSettings, process.env)
const { SLACK_WEBHOOK_SECRET_ARN: secretArn, SLACK_CHANNEL: channel } = settings
const threads = (): ReturnType<typeof slackThreads> =>
  slackThreads(bounded(new DynamoDBClient(limited)), settings.RECORDS_TABLE, { channel, now: () => new Date() })
const target = slack({
  secret: secretIn(bounded(new SecretsManagerClient(limited)), secretArn),
  secretName: secretArn,
  // Without a channel it is a webhook, which cannot reply to a message.
  ...(channel !== '' && { channel, threads: threads() }),
})

/** A notice as SNS delivers it to the queue. */
const delivered = z.object({ Subject: z.optional(z.string()), Message: z.string() })

/**
 * The Slack queue: posts one notice to the channel. If Slack throttles, the message is retried after the time that
 * Slack requests; if Slack rejects it, it becomes a dead letter.
 */
export const handler = worker('notify-slack', {
  schema: delivered,
  received: received(bounded(new SQSClient(limited)), {
    queue: settings.WORK_QUEUE_URL,
    deadLetters: settings.DEAD_LETTERS_QUEUE_URL,
  }),
  work: ({ Subject = 'calico-ipvs-sync', Message }) => target.post(slackNoticeIn(Subject, Message)),
})
