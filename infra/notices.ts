import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { type IKey, Key } from 'aws-cdk-lib/aws-kms'
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import type { Construct } from 'constructs'
import type { Config } from './config.ts'

/** Notices name clusters, nodes and ports: encrypted at rest with a key of the deployment's own. */
export const noticesKey = (scope: Construct): Key => {
  const key = new Key(scope, 'NoticesKey', {
    description: 'calico-ipvs-sync: notices',
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  })
  // CloudWatch publishes in its own name and must be named in the key's policy.
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

const topicToEmails = (scope: Construct, id: string, masterKey: IKey, emails: string[]): Topic => {
  const topic = new Topic(scope, id, { masterKey, enforceSSL: true })
  for (const email of emails) topic.addSubscription(new EmailSubscription(email))
  return topic
}

/** What people hear about clusters. */
export const noticesTopic = (scope: Construct, key: IKey, { emails }: Config): Topic =>
  topicToEmails(scope, 'Notices', key, emails)

/** What people hear about the tool itself: never mixed with notices, whose readers parse them. */
export const alarmsTopic = (scope: Construct, key: IKey, { emails, alarmTopicArn }: Config): ITopic => {
  if (alarmTopicArn) return Topic.fromTopicArn(scope, 'Alarms', alarmTopicArn)
  const topic = topicToEmails(scope, 'Alarms', key, emails)
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
