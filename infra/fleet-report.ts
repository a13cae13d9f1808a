import { Duration, RemovalPolicy, type Stack, Validations } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler'
import type { Construct } from 'constructs'
import { mayInvoke, mayReadFleet, mayReadPlaces, maySend, mayWriteReports } from './access.ts'
import { alarm } from './alarms.ts'
import { mayUseKey } from './customer-key.ts'
import { lambdaFunction, type Surroundings } from './function.ts'
import { deadLetterQueue } from './queue.ts'
import { roleFor } from './role.ts'
import { keepFailures } from './triggers.ts'

/** A year, plus a month for the auditor's request; the same as for the records. */
const keptFor = Duration.days(400)

/**
 * The daily reports of the fleet, for people and auditors. They are evidence and are retained when the stack is
 * deleted.
 */
export const reportsBucket = (scope: Construct, key: IKey | undefined): Bucket => {
  const bucket = new Bucket(scope, 'Reports', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...(key
      ? { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
      : { encryption: BucketEncryption.S3_MANAGED }),
    enforceSSL: true,
    versioned: true,
    lifecycleRules: [{ expiration: keptFor, noncurrentVersionExpiration: Duration.days(30) }],
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
  })
  const reason =
    'CloudTrail shows who reads the reports, if its data events are enabled; no access-log bucket is created.'
  Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason })
  return bucket
}

/**
 * Writes the fleet metrics every hour, for the dashboard, and a report once a day. No cluster is evaluated for them.
 */
export const fleetReports = (
  stack: Stack,
  around: Surroundings,
  { records, bucket }: { records: Table; bucket: Bucket },
) => {
  const lost = deadLetterQueue(stack, 'FleetReportDeadLetters', {
    meaning: 'The daily report or the fleet metrics were not written; the page or the dashboard is out of date.',
    runbook: 'dead-letters-fleet-report',
    alarms: around.alarms,
    key: around.key,
  })
  const it = lambdaFunction(stack, around, {
    name: 'fleet-report',
    description: 'Writes the fleet metrics and the daily report, from the records',
    environment: { RECORDS_TABLE: records.tableName, REPORTS_BUCKET: bucket.bucketName },
    may: [...mayReadFleet(records), mayReadPlaces(records), mayWriteReports(bucket), maySend(lost)],
    timeout: Duration.minutes(10),
    memorySize: 2048,
  })
  keepFailures(it, lost)
  const scheduler = new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
  })
  const role = roleFor(it, 'ScheduleRole', {
    assumedBy: scheduler,
    may: [mayInvoke(it), maySend(lost), ...mayUseKey(it, around.key ? [around.key.keyArn] : [])],
  })
  const target = {
    arn: it.functionArn,
    roleArn: role.roleArn,
    deadLetterConfig: { arn: lost.queueArn },
    retryPolicy: { maximumRetryAttempts: 3, maximumEventAgeInSeconds: Duration.hours(1).toSeconds() },
  }
  const schedule = (id: string, scheduleExpression: string, input: object) =>
    new CfnSchedule(it, id, {
      scheduleExpression,
      flexibleTimeWindow: { mode: 'FLEXIBLE', maximumWindowInMinutes: 15 },
      target: { ...target, input: JSON.stringify(input) },
    }).node.addDependency(role)
  schedule('Hourly', 'rate(1 hour)', { what: 'count' })
  schedule('Daily', 'cron(0 4 * * ? *)', { what: 'report', at: '<aws.scheduler.scheduled-time>' })
  alarm(it, 'Missing', around.alarms, {
    meaning: 'The fleet metrics were not written for three hours; the dashboard is out of date.',
    runbook: 'fleet-not-counted',
    metric: it.metricInvocations({ period: Duration.hours(1), statistic: 'Sum' }),
    below: true,
    periods: 3,
  })
  return { it, lost }
}
