import { Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import type { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { entrance, placesOf } from '../shared/domain/fleet.ts'
import type { RoleKind } from '../shared/domain/fleet-names.ts'
import { latestIndex } from '../shared/messages.ts'
import type { Fleet } from '../shared/settings.ts'

/**
 * What each function may do, action by action. The grants of CDK are not used: they add what is never called
 * (`sqs:GetQueueUrl`, `kms:GenerateDataKey*`).
 */
const allow = (actions: string[], resources: string[], broad: Broad = {}): Permission => {
  const { because, ...more } = broad
  return { statement: new PolicyStatement({ actions, resources, ...more }), ...(because ? { because } : {}) }
}

/** A statement, and where a resource in it is a pattern, why it must be. */
export interface Permission {
  statement: PolicyStatement
  because?: string
}

interface Broad {
  because?: string
  conditions?: Record<string, Record<string, unknown>>
}

export const maySend = (...queues: IQueue[]) =>
  allow(
    ['sqs:SendMessage'],
    queues.map(({ queueArn }) => queueArn),
  )

/** What Lambda's poller needs on behalf of the function, and what becomes of a message that could not be done. */
export const mayConsume = ({ queueArn, deadLetterQueue }: Queue) => [
  allow(
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    [queueArn],
  ),
  ...(deadLetterQueue ? [maySend(deadLetterQueue.queue)] : []),
]

export const mayTell = (topicArns: string[], keyArns: string[]) => [
  allow(['sns:Publish'], topicArns),
  // SNS encrypts in the publisher's name.
  allow(['kms:GenerateDataKey', 'kms:Decrypt'], keyArns),
]

export const mayRecord = ({ tableArn }: Table) => allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn])

/** And all that is on record of the fleet's places, which are under one key. */
export const mayCount = ({ tableArn }: Table) =>
  allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [tableArn])

/** Under this one key of the table and no other. */
const under = (place: string) => ({
  conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [place] } },
})

/** Lists and removes what waits to be told. */
export const mayGather = ({ tableArn }: Table) =>
  allow(['dynamodb:Query', 'dynamodb:DeleteItem'], [tableArn], under('notices'))

/** Which message of Slack is the first of an incident. */
export const mayRecordThreads = ({ tableArn }: Table) =>
  allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn], under('slack'))

/** May add items; may not read existing ones. */
export const mayRecordActs = ({ tableArn }: Table) => allow(['dynamodb:PutItem'], [tableArn])

/** The last report of each cluster, by the index that lists them; never the notices, writes and budgets beside them in a list. */
export const mayReadFleet = ({ tableArn }: Table) => [
  allow(['dynamodb:Query'], [`${tableArn}/index/${latestIndex}`]),
  allow(['dynamodb:GetItem'], [tableArn]),
]

export const mayWriteReports = ({ bucketArn }: Bucket) =>
  allow(['s3:PutObject'], [`${bucketArn}/reports/*`], {
    because: 'Each day is an object of its own; none is read or removed.',
  })

/** The rule's own ARN has an id that Config makes up, and the function is there before the rule. */
export const mayAnswerConfig = ({ partition, region, account }: Stack): Permission[] => [
  allow(['config:PutEvaluations'], ['*'], {
    because:
      'config:PutEvaluations supports no resource; the result token of an invocation says which rule is answered.',
  }),
  allow(['config:GetComplianceDetailsByConfigRule'], [`arn:${partition}:config:${region}:${account}:config-rule/*`], {
    because: 'The id of the rule is made up by AWS Config when it is made; the action only reads.',
  }),
]

/** CloudWatch shows composite alarms only to a caller that may list all of them, so only the regions can be restricted. */
export const mayHeed = ({ region }: Stack, alarms: readonly string[]): Permission[] => {
  if (alarms.length === 0) return []
  const regions = new Set(alarms.map((alarm) => (alarm.startsWith('arn:') ? (alarm.split(':')[3] ?? region) : region)))
  return [
    allow(['cloudwatch:DescribeAlarms'], ['*'], {
      conditions: { StringEquals: { 'aws:RequestedRegion': [...regions] } },
      because:
        'CloudWatch shows composite alarms only to a permission on all; it is bound to the regions of the alarms.',
    }),
  ]
}

/**
 * With the functions' own roles only their own account is entered, and that only where it is in the fleet without
 * another role of this kind. Its regions; none: it is not.
 */
const ownRegions = (fleet: Fleet, kind: RoleKind): readonly string[] => {
  const way = entrance(fleet, fleet.own, kind)
  if (!way || way.roleArn !== undefined) return []
  return placesOf(fleet).flatMap(({ account, region }) => (account === fleet.own ? [region] : []))
}

/** EKS lists clusters by region: the action knows no resource. */
export const mayList = (fleet: Fleet): Permission[] => {
  const regions = ownRegions(fleet, 'viewer')
  if (regions.length === 0) return []
  return [
    allow(['eks:ListClusters'], ['*'], {
      conditions: { StringEquals: { 'aws:RequestedRegion': regions } },
      because: 'eks:ListClusters supports no resource; it is bound to the regions of the fleet.',
    }),
  ]
}

/** Of every cluster in the fleet's regions, because a sweep finds new ones; of add-ons, only kube-proxy. */
export const mayDescribe = (scope: Construct, fleet: Fleet, kind: RoleKind): Permission[] => {
  const regions = ownRegions(fleet, kind)
  if (regions.length === 0) return []
  const { own } = fleet
  const { partition } = Stack.of(scope)
  const arns = (rest: string) => regions.map((region) => `arn:${partition}:eks:${region}:${own}:${rest}`)
  const [clusters, kubeProxy] = [arns('cluster/*'), arns('addon/*/kube-proxy/*')]
  const because = 'Clusters are found by a sweep, not listed beforehand; the actions only read.'
  return [
    allow(['eks:DescribeCluster'], clusters, { because }),
    allow(['eks:DescribeAddon'], kubeProxy, { because }),
    // An update belongs to a cluster or to an add-on, and the call is judged by both.
    allow(['eks:ListUpdates', 'eks:DescribeUpdate'], [...clusters, ...kubeProxy], { because }),
  ]
}

/** Roles that are listed one by one: a role's policies may have 10,240 characters in all. */
const listedAtMost = 60

/**
 * The roles of one kind in other accounts. Where they are too many to be listed, those of the fixed name in any account:
 * of the organization, where that is configured. Every one of them asks for the deployment's external id.
 */
export const mayAssume = (fleet: Fleet, kind: RoleKind, organizationId?: string): Permission[] => {
  const roles = fleet.accounts.flatMap(({ account }) => entrance(fleet, account, kind)?.roleArn ?? [])
  if (roles.length === 0) return []
  if (roles.length <= listedAtMost) return [allow(['sts:AssumeRole'], roles)]
  const patterns = new Set(roles.map((role) => role.replace(/::\d+:/, '::*:')))
  return [
    allow(['sts:AssumeRole'], [...patterns], {
      ...(organizationId && { conditions: { StringEquals: { 'aws:ResourceOrgID': organizationId } } }),
      because: `The roles of ${roles.length} accounts do not fit into a policy; they have one name in all of them.`,
    }),
  ]
}

export const mayReadBrake = ({ parameterArn }: StringParameter) => allow(['ssm:GetParameter'], [parameterArn])

export const mayInvoke = ({ functionArn }: IFunction) => allow(['lambda:InvokeFunction'], [functionArn])

export const mayReadSecret = (secretArn: string) => allow(['secretsmanager:GetSecretValue'], [secretArn])

/** Its own log group only, which the stack has made: no `logs:CreateLogGroup`, no managed policy over all groups. */
export const mayLog = ({ logGroupArn }: ILogGroup): Permission =>
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn])

export const mayTrace: Permission = allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'], {
  because: 'X-Ray takes traces without naming a resource.',
})

/** Lambda's own list for a function in a VPC. */
export const mayConnect: Permission = allow(
  [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeSubnets',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ],
  ['*'],
  { because: 'Lambda manages network interfaces whose ids nobody knows beforehand.' },
)

export const roleOf = ({ role, node }: IFunction): IRole => {
  if (!role) throw new Error(`${node.path} has no role; functions are made by lambdaFunction, which gives them one.`)
  return role
}
