import { Duration } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import type { Route } from '../shared/domain/notice/route.ts'
import { mayConsume, mayReadSecret, mayRecordThreads } from './access.ts'
import { mayUseKey } from './customer-key.ts'
import type { Config } from './config.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { filterOf } from './notices.ts'
import { workedQueue, workQueue } from './queue.ts'
import { consume } from './triggers.ts'

const timeout = Duration.seconds(30)

interface Channel {
  secretArn: string
  channel?: string | undefined
  /** Absent: it receives all notices. */
  route?: Route
}

interface Sources {
  notices: Topic
  records: Table
}

/** Each channel has its own queue and function, so that a failing or slow one does not delay the others. */
export const slackChannels = (scope: Construct, around: Surroundings, sources: Sources): void => {
  const { slackWebhookSecretArn, notices } = around.config satisfies Config
  if (slackWebhookSecretArn) slackChannel(scope, around, { ...sources, to: { secretArn: slackWebhookSecretArn } })
  for (const [index, route] of notices.routes.entries())
    if (route.slack) {
      const own = new Construct(scope, `Slack${index + 1}`)
      slackChannel(own, around, { ...sources, to: { ...route.slack, route } })
    }
}

/**
 * Notices to a Slack channel, through a queue: Slack accepts about one message a second, and rejected messages must
 * wait. Not in a VPC: it needs the internet and no cluster.
 */
const slackChannel = (
  scope: Construct,
  around: Surroundings,
  { notices, records, to }: Sources & { to: Channel },
): void => {
  const queue = workQueue(scope, 'SlackNotices', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Slack did not accept notices; the channel did not receive them.',
      runbook: 'dead-letters-slack',
      ...around,
    },
  })
  notices.addSubscription(new SqsSubscription(queue, to.route ? filterOf(to.route, { progress: true }) : {}))
  const notifySlack = lambdaFunction(scope, around, {
    name: 'notify-slack',
    description: 'Posts notices to Slack',
    environment: {
      ...workedQueue(queue),
      SLACK_WEBHOOK_SECRET_ARN: to.secretArn,
      SLACK_CHANNEL: to.channel ?? '',
      RECORDS_TABLE: records.tableName,
    },
    may: [
      ...mayConsume(queue),
      mayReadSecret(to.secretArn),
      // A webhook cannot reply to a message: so no thread is stored.
      ...(to.channel ? [mayRecordThreads(records)] : []),
      ...mayUseKey(scope, around.config.secretKmsKeyArn ? [around.config.secretKmsKeyArn] : []),
    ],
    timeout,
    memorySize: 256,
  })
  // Two is the minimum of the event source mapping.
  consume(notifySlack, queue, 2)
}
