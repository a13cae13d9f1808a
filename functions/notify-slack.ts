import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod/mini'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { received } from '../shared/clients/aws/received.ts'
import { slack, slackText } from '../shared/clients/slack.ts'
import { worker } from '../shared/handler.ts'
import { notifySlackSettings, readSettings } from '../shared/settings.ts'

const settings = readSettings(notifySlackSettings, process.env)
const webhook = slack({
  secrets: bounded(new SecretsManagerClient(limited)),
  secretArn: settings.SLACK_WEBHOOK_SECRET_ARN,
})

/** A notice as SNS delivers it to the queue. */
const delivered = z.object({ Subject: z.optional(z.string()), Message: z.string() })

/** The Slack queue: one notice to the webhook. Throttled, it comes back when Slack says; refused, it is a dead letter. */
export const handler = worker('notify-slack', {
  schema: delivered,
  received: received(bounded(new SQSClient(limited)), {
    queue: settings.WORK_QUEUE_URL,
    deadLetters: settings.DEAD_LETTERS_QUEUE_URL,
  }),
  work: ({ Subject = 'calico-ipvs-sync', Message }) => webhook.post({ title: Subject, text: slackText(Message) }),
})
