import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import * as z from 'zod/mini'
import { slack, slackText } from '../shared/clients/slack.ts'
import { worker } from '../shared/handler.ts'
import { notifySlackSettings, readSettings } from '../shared/settings.ts'

const settings = readSettings(notifySlackSettings, process.env)
const webhook = slack({ secrets: new SecretsManagerClient(), secretArn: settings.SLACK_WEBHOOK_SECRET_ARN })

/** A notice as SNS delivers it to the queue. */
const delivered = z.object({ Subject: z.optional(z.string()), Message: z.string() })

/** The Slack queue: one notice to the webhook; throttled or refused, it stays in the queue. */
export const handler = worker('notify-slack', delivered, ({ Subject = 'calico-ipvs-sync', Message }) =>
  webhook.post({ title: Subject, text: slackText(Message) }),
)
