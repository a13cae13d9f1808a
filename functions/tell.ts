import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SNSClient } from '@aws-sdk/client-sns'
import { SQSClient } from '@aws-sdk/client-sqs'
import * as z from 'zod/mini'
import { heldNotices } from '../shared/clients/aws/held-notices.ts'
import { bounded, limited } from '../shared/clients/aws/limits.ts'
import { notices } from '../shared/clients/aws/notices.ts'
import { received } from '../shared/clients/aws/received.ts'
import { records } from '../shared/clients/aws/records.ts'
import { tellings } from '../shared/clients/aws/tellings.ts'
import { reportPage } from '../shared/domain/notice/links.ts'
import { worker } from '../shared/handler.ts'
import { gathering, telling } from '../shared/messages.ts'
import { retelling } from '../shared/retelling.ts'
import { readSettings } from '../shared/settings.ts'
import { tellSettings } from '../shared/notice-settings.ts'
import { gather, tellOrHold } from '../shared/workflows/fleet/tell-gather.ts'
import { sendNotice } from '../shared/workflows/fleet/tell-send.ts'

const settings = readSettings(tellSettings, process.env)
const { runbook, tags, topics, ...rules } = settings.NOTICES
const pages = { runbook, report: reportPage(settings.REPORTS_BUCKET, process.env['AWS_REGION'] ?? '') }
const sqs = bounded(new SQSClient(limited))
const sns = bounded(new SNSClient(limited))
const dynamo = bounded(new DynamoDBClient(limited))
const tools = {
  records: records(dynamo, settings.RECORDS_TABLE),
  held: heldNotices(dynamo, settings.RECORDS_TABLE),
  tellings: tellings(sqs, settings.WORK_QUEUE_URL),
  notices: notices(sns, { topicArn: settings.NOTICES_TOPIC_ARN, pages }),
  others: topics.map(({ arn, format, route }) => ({
    topicArn: arn,
    route,
    progress: format === 'chat',
    notices: notices(sns, { topicArn: arn, pages, format }),
  })),
  tags: new Set(tags),
  rules,
  now: () => new Date(),
}

/** The queue of notices: sends a recorded notice, or lets it wait for others; processes waiting notices. */
export const handler = worker('tell', {
  schema: z.union([telling, gathering, retelling]),
  received: received(sqs, { queue: settings.WORK_QUEUE_URL, deadLetters: settings.DEAD_LETTERS_QUEUE_URL }),
  work: (message, { log }) => {
    if ('retell' in message) return sendNotice({ ...tools, log }, { tell: message.retell })
    return 'tell' in message ? tellOrHold({ ...tools, log }, message) : gather({ ...tools, log }, message)
  },
})
