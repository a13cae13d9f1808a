import { busName, defaultDeployment, roleName, taken, type RoleKind, type Traveller } from '../fleet-names.ts'
import { patterns } from './event-patterns.ts'
import {
  hasQueueKey,
  isForwarded,
  madeHere,
  operatorHere,
  type SpokeDefaults,
  parameters,
  parametersShown,
} from './parameters.ts'

/**
 * The CloudFormation template of a spoke: an account, or another region of the hub's account. It contains no asset,
 * so a StackSet can deploy it without changes. In one region of an account it creates the roles, which are global; in
 * every region it creates the rules that forward events to the hub.
 */
export const spokeTemplate = (given: SpokeDefaults = {}) => ({
  AWSTemplateFormatVersion: '2010-09-09',
  Description:
    'calico-ipvs-sync: the roles through which a hub accesses this account, and the rules that forward events to it.',
  Metadata: parametersShown,
  Parameters: parameters(given),
  Conditions: { Forwards: isForwarded, MadeHere: madeHere, OperatorHere: operatorHere, HasQueueKey: hasQueueKey },
  Resources: {
    ViewerRole: role('viewer', 'MadeHere'),
    OperatorRole: role('operator', 'OperatorHere'),
    ForwarderRole: forwarder,
    Undelivered: undelivered,
    UndeliveredPolicy: undeliveredPolicy,
    ...Object.fromEntries(Object.entries(patterns).map(([name, pattern]) => [name, rule(name, pattern)])),
  },
  Outputs: {
    ViewerRoleArn: { Condition: 'MadeHere', Description: 'Who looks.', Value: attribute('ViewerRole') },
    OperatorRoleArn: { Condition: 'OperatorHere', Description: 'Who changes.', Value: attribute('OperatorRole') },
  },
})

const sub = (text: string) => ({ 'Fn::Sub': text })
const attribute = (resource: string) => ({ 'Fn::GetAtt': [resource, 'Arn'] })

/** The role ARNs of the hub's functions that may assume this kind of role. */
const takers = (kind: RoleKind) =>
  (Object.keys(taken) as Traveller[])
    .filter((name) => taken[name] === kind)
    .map((name) => sub(`arn:\${AWS::Partition}:iam::\${HubAccount}:role/${roleName('${Deployment}', name)}`))

/**
 * The hub's account is named as principal and the functions' roles by a condition: a principal that names a role must
 * exist when the template is applied, and would become invalid when the hub's role is created again.
 */
const trust = (kind: RoleKind) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: sub('arn:${AWS::Partition}:iam::${HubAccount}:root') },
      Action: 'sts:AssumeRole',
      Condition: {
        ArnEquals: { 'aws:PrincipalArn': takers(kind) },
        StringEquals: { 'sts:ExternalId': { Ref: 'ExternalId' } },
      },
    },
  ],
})

const descriptions: Record<RoleKind, string> = {
  viewer: 'Reads the clusters of this account for calico-ipvs-sync. Changes nothing.',
  operator: 'Applies the steps of a rollout in the clusters of this account for calico-ipvs-sync.',
}

const [clusters, kubeProxy] = ['cluster/*', 'addon/*/kube-proxy/*'].map((rest) =>
  sub(`arn:\${AWS::Partition}:eks:*:\${AWS::AccountId}:${rest}`),
)

/** Exactly the actions that the functions call; a test verifies this. In AWS neither role can change anything. */
const permissions = (kind: RoleKind) => [
  ...(kind === 'viewer' ? [{ Effect: 'Allow', Action: 'eks:ListClusters', Resource: '*' }] : []),
  { Effect: 'Allow', Action: 'eks:DescribeCluster', Resource: clusters },
  { Effect: 'Allow', Action: 'eks:DescribeAddon', Resource: kubeProxy },
  { Effect: 'Allow', Action: ['eks:ListUpdates', 'eks:DescribeUpdate'], Resource: [clusters, kubeProxy] },
]

const role = (kind: RoleKind, condition: string) => ({
  Type: 'AWS::IAM::Role',
  Condition: condition,
  Properties: {
    RoleName: sub(roleName('${Deployment}', kind)),
    Description: descriptions[kind],
    AssumeRolePolicyDocument: trust(kind),
    MaxSessionDuration: 3600,
    Policies: [{ PolicyName: kind, PolicyDocument: { Version: '2012-10-17', Statement: permissions(kind) } }],
    Tags: tags,
  },
})

const tags = [{ Key: 'application', Value: defaultDeployment }]

const bus = sub(`arn:\${AWS::Partition}:events:\${HubRegion}:\${HubAccount}:event-bus/${busName('${Deployment}')}`)

/**
 * One role for each region, so that no region depends on another; CloudFormation generates its name. It only allows
 * to send events of AWS to the hub, which treats them as untrusted input.
 */
const forwarder = {
  Type: 'AWS::IAM::Role',
  Condition: 'Forwards',
  Properties: {
    Description: 'EventBridge uses it to forward events of EKS to the hub of calico-ipvs-sync.',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'forward',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: bus }],
        },
      },
    ],
    Tags: tags,
  },
}

/**
 * Events that EventBridge could not deliver to the hub within an hour. They show why the hub receives nothing; nobody sends them again.
 * The queue has no alarm, which would need a topic in every account and region: the hub's sweep finds what these events were about.
 */
const undelivered = {
  Type: 'AWS::SQS::Queue',
  Condition: 'Forwards',
  DeletionPolicy: 'Delete',
  UpdateReplacePolicy: 'Delete',
  Properties: {
    MessageRetentionPeriod: 1_209_600,
    KmsMasterKeyId: { 'Fn::If': ['HasQueueKey', { Ref: 'QueueKey' }, { Ref: 'AWS::NoValue' }] },
    SqsManagedSseEnabled: { 'Fn::If': ['HasQueueKey', { Ref: 'AWS::NoValue' }, true] },
    Tags: tags,
  },
}

const undeliveredPolicy = {
  Type: 'AWS::SQS::QueuePolicy',
  Condition: 'Forwards',
  Properties: {
    Queues: [{ Ref: 'Undelivered' }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'sqs:SendMessage',
          Resource: attribute('Undelivered'),
          // Of the rules below, whose names are CloudFormation's.
          Condition: {
            ArnLike: { 'aws:SourceArn': sub('arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/*') },
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
          },
        },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 'sqs:*',
          Resource: attribute('Undelivered'),
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        },
      ],
    },
  },
}

/** After an hour a sweep has evaluated the cluster anyway. */
const rule = (name: string, pattern: object) => ({
  Type: 'AWS::Events::Rule',
  Condition: 'Forwards',
  Properties: {
    Description: `${name} of this region, forwarded to the hub of calico-ipvs-sync`,
    EventPattern: pattern,
    State: 'ENABLED',
    Targets: [
      {
        Id: 'hub',
        Arn: bus,
        RoleArn: attribute('ForwarderRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 },
        DeadLetterConfig: { Arn: attribute('Undelivered') },
      },
    ],
  },
})
