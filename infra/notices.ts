import { CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import { type ITopic, SubscriptionFilter, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { filterPolicyOf, type Route, tagText } from '../shared/domain/notice/route.ts'
import type { NoticeSetting } from '../shared/notice-settings.ts'
import { mayConsume, mayGather, mayRecord, maySend, mayTell } from './access.ts'
import type { RouteConfig } from './config-notices.ts'
import type { Config } from './config.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { workedQueue, workQueue } from './queue.ts'
import { consume } from './triggers.ts'

/** Notices contain clusters, nodes and ports: so they are encrypted at rest with the deployment's own key. */
export const noticesKey = (scope: Construct): Key => {
  const key = new Key(scope, 'NoticesKey', {
    description: 'calico-ipvs-sync: notices',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  })
  // CloudWatch publishes with its own service principal, which the key's policy must allow.
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:GenerateDataKey', 'kms:Decrypt'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  )
  return key
}

/** The topic for notices about clusters: all of them, or those that match a route. */
export const noticesTopic = (scope: Construct, masterKey: IKey, { emails, notices }: Config): Topic => {
  const topic = new Topic(scope, 'Notices', { masterKey, enforceSSL: true })
  const subscribe = (email: string, route: Route) =>
    topic.addSubscription(new EmailSubscription(email, filterOf(route, { progress: false })))
  for (const email of emails) subscribe(email, {})
  for (const route of notices.routes) for (const email of route.emails) subscribe(email, route)
  return topic
}

/** The filter policy of a route, by message attributes. */
export const filterOf = (route: Route, which: { progress: boolean }) => {
  const policy = Object.entries(filterPolicyOf(route, which))
  if (policy.length === 0) return {}
  return { filterPolicy: Object.fromEntries(policy.map(([name, rules]) => [name, new SubscriptionFilter(rules)])) }
}

/** The topic for alarms about the tool itself: separate from notices, because subscribers parse notices. */
export const alarmsTopic = (scope: Construct, key: IKey, { emails, alarmTopicArn }: Config): ITopic => {
  if (alarmTopicArn) return Topic.fromTopicArn(scope, 'Alarms', alarmTopicArn)
  const topic = new Topic(scope, 'Alarms', { masterKey: key, enforceSSL: true })
  for (const email of emails) topic.addSubscription(new EmailSubscription(email))
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  )
  return topic
}

const timeout = Duration.seconds(60)

/**
 * Sends recorded notices through a separate queue: neither an evaluation nor a rollout waits for SNS, and many
 * evaluations do not delay a notice. Returns the queue.
 */
export const teller = (
  scope: Construct,
  around: Surroundings,
  { notices, key, records, reports }: { notices: ITopic; key: IKey; records: Table; reports: Bucket },
): Queue => {
  const { config } = around
  const queue = workQueue(scope, 'Tellings', {
    functionTimeout: timeout,
    deadLetters: {
      meaning: 'Notices were not sent; people have not been notified.',
      runbook: 'dead-letters-notices',
      ...around,
    },
  })
  const topics = otherTopics(scope, key, config.notices.routes)
  const keys = config.notices.routes.flatMap(({ kmsKeyArn }) => kmsKeyArn ?? [])
  const tell = lambdaFunction(scope, around, {
    name: 'tell',
    description: 'Sends the recorded notices, or one digest instead',
    environment: {
      ...workedQueue(queue),
      NOTICES_TOPIC_ARN: notices.topicArn,
      RECORDS_TABLE: records.tableName,
      REPORTS_BUCKET: reports.bucketName,
      NOTICES: Stack.of(scope).toJsonString(settingOf(config, topics)),
    },
    may: [
      ...mayConsume(queue),
      maySend(queue),
      ...mayTell([notices.topicArn, ...topics.map(({ arn }) => arn)], [key.keyArn, ...keys]),
      mayRecord(records),
      mayGather(records),
    ],
    timeout,
    memorySize: 256,
    feedsItself: true,
  })
  // Two is the minimum of the event source mapping.
  consume(tell, queue, 2)
  return queue
}

const settingOf = ({ notices, runbookBaseUrl }: Config, topics: NoticeSetting['topics']): NoticeSetting => {
  const { digest, quietHours, routes } = notices
  return {
    ...(runbookBaseUrl && { runbook: runbookBaseUrl }),
    ...(digest && { digest }),
    ...(quietHours && { quietHours: { ...quietHours, windows: [...quietHours.windows] } }),
    tags: [...new Set(routes.flatMap(({ tag = [] }) => tag.map(tagText)))],
    topics,
  }
}

/** The function publishes to existing topics itself, because a topic cannot subscribe to another. */
const otherTopics = (scope: Construct, key: IKey, routes: RouteConfig[]): NoticeSetting['topics'] =>
  routes.flatMap((it, index) => {
    const { topicArn, format } = it
    if (!topicArn && format !== 'chat') return []
    return [{ arn: topicArn ?? chatTopic(scope, key, index), format, route: conditionsOf(it) }]
  })

/** For a channel of Amazon Q Developer in chat applications, which is configured with this ARN. */
const chatTopic = (scope: Construct, masterKey: IKey, index: number): string => {
  const { topicArn } = new Topic(scope, `ChatNotices${index + 1}`, { masterKey, enforceSSL: true })
  void new CfnOutput(scope, `ChatNoticesTopic${index + 1}`, {
    value: topicArn,
    description: 'Topic for a channel configured in Amazon Q Developer in chat applications',
  })
  return topicArn
}

const conditionsOf = ({
  severity,
  account,
  region,
  cluster,
  tag,
}: RouteConfig): NoticeSetting['topics'][number]['route'] => ({
  ...(severity && { severity }),
  ...(account && { account }),
  ...(region && { region }),
  ...(cluster && { cluster }),
  ...(tag && { tag }),
})
