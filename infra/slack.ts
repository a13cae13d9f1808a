import { Duration } from 'aws-cdk-lib'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import { mayConsume, mayReadSecret } from './access.ts'
import { mayUseKey } from './customer-key.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { workedQueue, workQueue } from './queue.ts'
import { consume } from './triggers.ts'

const timeout = Duration.seconds(30)

/**
 * Notices to a Slack channel, by way of a queue: an incoming webhook takes about one message a second, and what Slack
 * refuses must wait. Never in a VPC: it needs the internet and no cluster.
 */
export const slackChannel = (
  scope: Construct,
  around: Surroundings,
  notices: Topic,
  webhookSecretArn: string,
): void => {
  const queue = workQueue(scope, 'SlackNotices', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Slack did not take notices; the channel has not been told.',
      runbook: 'dead-letters-slack',
      ...around,
    },
  })
  notices.addSubscription(new SqsSubscription(queue))
  const notifySlack = lambdaFunction(scope, around, {
    name: 'notify-slack',
    description: 'Posts notices to Slack',
    environment: { ...workedQueue(queue), SLACK_WEBHOOK_SECRET_ARN: webhookSecretArn },
    may: [
      ...mayConsume(queue),
      mayReadSecret(webhookSecretArn),
      ...mayUseKey(scope, around.config.secretKmsKeyArn ? [around.config.secretKmsKeyArn] : []),
    ],
    timeout,
    memorySize: 256,
  })
  // Two is the least SQS offers.
  consume(notifySlack, queue, 2)
}
