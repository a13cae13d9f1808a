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
  /** Absent: it is told of everything. */
  route?: Route
}

interface Sources {
  notices: Topic
  records: Table
}

/** Each channel by itself: one that refuses, or is slow, holds up none but itself. */
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
 * Notices to a Slack channel, by way of a queue: Slack takes about one message a second, and what it refuses must wait.
 * Never in a VPC: it needs the internet and no cluster.
 */
const slackChannel = (
  scope: Construct,
  around: Surroundings,
  { notices, records, to }: Sources & { to: Channel },
): void => {
  const queue = workQueue(scope, 'SlackNotices', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Slack did not take notices; the channel has not been told.',
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
      // A webhook cannot reply to what it has posted: there is nothing to remember.
      ...(to.channel ? [mayRecordThreads(records)] : []),
      ...mayUseKey(scope, around.config.secretKmsKeyArn ? [around.config.secretKmsKeyArn] : []),
    ],
    timeout,
    memorySize: 256,
  })
  // Two is the least SQS offers.
  consume(notifySlack, queue, 2)
}
