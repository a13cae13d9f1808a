import { Stack } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import { Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { ILogGroup } from 'aws-cdk-lib/aws-logs'
import type { Bucket } from 'aws-cdk-lib/aws-s3'
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import type { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { entrance, placesOf } from '../shared/domain/fleet.ts'
import { defaultDeployment, roleName, type RoleKind } from '../shared/domain/fleet-names.ts'
import { partitionOf } from '../shared/domain/partitions.ts'
import { latestIndex, organizationKey } from '../shared/messages.ts'
import type { Fleet } from '../shared/settings.ts'
import type { Config } from './config.ts'

/**
 * The permissions of the functions, as single actions. Which function gets which permission is decided where it is
 * created (`workers.ts`, `event-handlers.ts`, …). The grants of CDK are not used: they add actions that are never
 * called (`sqs:GetQueueUrl`, `kms:GenerateDataKey*`).
 */
const allow = (actions: string[], resources: string[], broad: Broad = {}): Permission => {
  const { because, ...more } = broad
  return { statement: new PolicyStatement({ actions, resources, ...more }), ...(because ? { because } : {}) }
}

/** A statement, and the reason if a resource in it is a pattern. */
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

/** For Lambda's poller, and to move failed messages to the dead-letter queue. */
export const mayConsume = ({ queueArn, deadLetterQueue }: Queue) => [
  allow(
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    [queueArn],
  ),
  ...(deadLetterQueue ? [maySend(deadLetterQueue.queue)] : []),
]

export const mayTell = (topicArns: string[], keyArns: string[]) => [
  allow(['sns:Publish'], topicArns),
  // SNS encrypts with the publisher's permissions.
  allow(['kms:GenerateDataKey', 'kms:Decrypt'], keyArns),
]

export const mayRecord = ({ tableArn }: Table) => allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn])

/** Also the records of the fleet's places, which are under one key. */
export const mayCount = ({ tableArn }: Table) =>
  allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [tableArn])

/** Restricts a permission to one key of the table. */
const under = (place: string) => ({
  conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [place] } },
})

/** What a sweep has read of the organization. */
export const mayRecordOrganization = ({ tableArn }: Table) =>
  allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn], under(organizationKey))

/** Lists and deletes waiting notices. */
export const mayGather = ({ tableArn }: Table) =>
  allow(['dynamodb:Query', 'dynamodb:DeleteItem'], [tableArn], under('notices'))

/** The first Slack message of each incident. */
export const mayRecordThreads = ({ tableArn }: Table) =>
  allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [tableArn], under('slack'))

/** May add items; may not read existing ones. */
export const mayRecordActs = ({ tableArn }: Table) => allow(['dynamodb:PutItem'], [tableArn])

/** The last report of each cluster, through their index; it lists no notices, writes and budgets. */
export const mayReadFleet = ({ tableArn }: Table) => [
  allow(['dynamodb:Query'], [`${tableArn}/index/${latestIndex}`]),
  allow(['dynamodb:GetItem'], [tableArn]),
]

/** Which accounts and regions could be listed. */
export const mayReadPlaces = ({ tableArn }: Table) => allow(['dynamodb:Query'], [tableArn], under('places'))

export const mayWriteReports = ({ bucketArn }: Bucket) =>
  allow(['s3:PutObject'], [`${bucketArn}/reports/*`], {
    because: 'Each day has its own object; none is read or deleted.',
  })

/** The rule's ARN contains an id that AWS Config generates, and the function is created before the rule. */
export const mayAnswerConfig = ({ partition, region, account }: Stack): Permission[] => [
  allow(['config:PutEvaluations'], ['*'], {
    because: 'config:PutEvaluations supports no resource; the result token of an invocation identifies the rule.',
  }),
  allow(['config:GetComplianceDetailsByConfigRule'], [`arn:${partition}:config:${region}:${account}:config-rule/*`], {
    because: 'AWS Config generates the id of the rule when it is created; the action only reads.',
  }),
]

/**
 * CloudWatch returns composite alarms only to a caller that may list all of them, so only the regions can be
 * restricted.
 */
export const mayHeed = ({ region }: Stack, alarms: readonly string[]): Permission[] => {
  if (alarms.length === 0) return []
  const regions = new Set(alarms.map((alarm) => (alarm.startsWith('arn:') ? (alarm.split(':')[3] ?? region) : region)))
  return [
    allow(['cloudwatch:DescribeAlarms'], ['*'], {
      conditions: { StringEquals: { 'aws:RequestedRegion': [...regions] } },
      because:
        'CloudWatch returns composite alarms only with a permission on all; it is restricted to the regions of the alarms.',
    }),
  ]
}

/**
 * The functions use their own roles only in their own account, and only if the fleet has no other role of this kind
 * for it. Returns its regions; empty: the own roles are not used.
 */
const ownRegions = (fleet: Fleet, kind: RoleKind): readonly string[] => {
  const way = entrance(fleet, fleet.own, kind)
  if (!way || way.roleArn !== undefined) return []
  return placesOf(fleet).flatMap(({ account, region }) => (account === fleet.own ? [region] : []))
}

/** EKS lists clusters by region: the action supports no resource. */
export const mayList = (fleet: Fleet): Permission[] => {
  const regions = ownRegions(fleet, 'viewer')
  if (regions.length === 0) return []
  return [
    allow(['eks:ListClusters'], ['*'], {
      conditions: { StringEquals: { 'aws:RequestedRegion': regions } },
      because: 'eks:ListClusters supports no resource; it is restricted to the regions of the fleet.',
    }),
  ]
}

/**
 * For every cluster in the fleet's regions, because a sweep finds new ones; for add-ons, only kube-proxy. In the own
 * account; the roles in other accounts have theirs from `permissions` in `shared/domain/spoke/template.ts`.
 */
export const mayDescribe = (scope: Construct, fleet: Fleet, kind: RoleKind): Permission[] => {
  const regions = ownRegions(fleet, kind)
  if (regions.length === 0) return []
  const { own } = fleet
  const { partition } = Stack.of(scope)
  const arns = (rest: string) => regions.map((region) => `arn:${partition}:eks:${region}:${own}:${rest}`)
  const [clusters, kubeProxy] = [arns('cluster/*'), arns('addon/*/kube-proxy/*')]
  const because = 'A sweep discovers clusters; the actions only read.'
  return [
    allow(['eks:DescribeCluster'], clusters, { because }),
    allow(['eks:DescribeAddon'], kubeProxy, { because }),
    // An update belongs to a cluster or to an add-on, and IAM checks both.
    allow(['eks:ListUpdates', 'eks:DescribeUpdate'], [...clusters, ...kubeProxy], { because }),
  ]
}

/** The maximum number of roles in a policy: a role's policies may have 10,240 characters in total. */
const listedAtMost = 60

/**
 * The roles of one kind in other accounts. If there are too many to list, all roles with the fixed name, restricted
 * to the organization if it is configured. Each of them requires the deployment's external id.
 */
export const mayAssume = (fleet: Fleet, kind: RoleKind, organizationId?: string): Permission[] => {
  const roles = fleet.accounts.flatMap(({ account }) => entrance(fleet, account, kind)?.roleArn ?? [])
  const tooMany = roles.length > listedAtMost
  const patterns = new Set([
    ...(fleet.organization ? [anywhere(fleet, kind)] : []),
    ...(tooMany ? roles.map((role) => role.replace(/::\d+:/, '::*:')) : []),
  ])
  const because = fleet.organization
    ? 'Accounts are found in the organization by each sweep; their roles have one name in all of them.'
    : `The roles of ${roles.length} accounts do not fit into a policy; they have the same name in all of them.`
  return [
    ...(roles.length > 0 && !tooMany ? [allow(['sts:AssumeRole'], roles)] : []),
    ...(patterns.size > 0
      ? [
          allow(['sts:AssumeRole'], [...patterns], {
            ...(organizationId && { conditions: { StringEquals: { 'aws:ResourceOrgID': organizationId } } }),
            because,
          }),
        ]
      : []),
  ]
}

/** The fixed name, in an account that is not known yet. */
const anywhere = ({ deployment = defaultDeployment, regions }: Fleet, kind: RoleKind): string =>
  `arn:${partitionOf(regions[0] ?? '')}:iam::*:role/${roleName(deployment, kind)}`

/**
 * Lists accounts by what is configured and nothing else. The organization's own account, which all its ARNs name, is not
 * known here; ids of units below a unit begin as its own.
 */
export const mayReadOrganization = ({ partition }: Stack, { organization, organizationId }: Config): Permission[] => {
  if (!organization || !organizationId) return []
  const arns = (rest: string) => `arn:${partition}:organizations::*:${rest}`
  const { units, tag } = organization
  const root = units?.[0]?.split('-')[1] ?? ''
  const parents = [arns(`root/${organizationId}/r-${root}`), arns(`ou/${organizationId}/ou-${root}-*`)]
  const because = 'Units below a unit, and accounts, are found by each sweep; the actions only read.'
  return [
    units
      ? allow(['organizations:ListAccountsForParent', 'organizations:ListOrganizationalUnitsForParent'], parents, {
          because,
        })
      : allow(['organizations:ListAccounts'], ['*'], {
          because: 'organizations:ListAccounts supports no resource; it only reads.',
        }),
    ...(tag ? [allow(['organizations:ListTagsForResource'], [arns(`account/${organizationId}/*`)], { because })] : []),
  ]
}

export const mayReadBrake = ({ parameterArn }: StringParameter) => allow(['ssm:GetParameter'], [parameterArn])

export const mayInvoke = ({ functionArn }: IFunction) => allow(['lambda:InvokeFunction'], [functionArn])

export const mayReadSecret = (secretArn: string) => allow(['secretsmanager:GetSecretValue'], [secretArn])

/** Only its own log group, which the stack creates: no `logs:CreateLogGroup`, no managed policy over all groups. */
export const mayLog = ({ logGroupArn }: ILogGroup): Permission =>
  allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn])

export const mayTrace: Permission = allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'], {
  because: 'X-Ray accepts traces without a resource.',
})

const connecting = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeSubnets',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]

/**
 * The permissions that Lambda itself requires for a function in a VPC. They are for the network interfaces of everybody, so calls of the
 * function's code, which have the ARN of the function, are denied.
 */
export const mayConnect = ({ partition, region, account }: Stack): Permission[] => [
  allow(connecting, ['*'], { because: 'Lambda manages network interfaces whose ids are not known before.' }),
  {
    statement: new PolicyStatement({
      effect: Effect.DENY,
      actions: connecting,
      resources: ['*'],
      conditions: {
        ArnLike: { 'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
      },
    }),
  },
]

export const executionRoleOf = ({ role, node }: IFunction): IRole => {
  if (!role) throw new Error(`${node.path} has no role; create functions with lambdaFunction, which gives them one.`)
  return role
}
