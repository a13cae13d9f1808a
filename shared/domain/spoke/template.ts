import { busName, defaultDeployment, roleName, taken, type RoleKind, type Traveller } from '../fleet-names.ts'
import { patterns } from './event-patterns.ts'
import { isForwarded, madeHere, operatorHere, type Named, parameters, parametersShown } from './parameters.ts'

/**
 * The CloudFormation template of a spoke: an account, or another region of the hub's account. It holds no asset, so that a
 * StackSet can roll it out as it is. In one region of an account it makes the roles, which are of all regions; in every
 * region it makes the rules that forward events to the hub.
 */
export const spokeTemplate = (given: Named = {}) => ({
  AWSTemplateFormatVersion: '2010-09-09',
  Description:
    'calico-ipvs-sync: the roles by which a hub enters this account, and the rules that forward events to it.',
  Metadata: parametersShown,
  Parameters: parameters(given),
  Conditions: { Forwards: isForwarded, MadeHere: madeHere, OperatorHere: operatorHere },
  Resources: {
    ViewerRole: role('viewer', 'MadeHere'),
    OperatorRole: role('operator', 'OperatorHere'),
    ForwarderRole: forwarder,
    ...Object.fromEntries(Object.entries(patterns).map(([name, pattern]) => [name, rule(name, pattern)])),
  },
  Outputs: {
    ViewerRoleArn: { Condition: 'MadeHere', Description: 'Who looks.', Value: attribute('ViewerRole') },
    OperatorRoleArn: { Condition: 'OperatorHere', Description: 'Who changes.', Value: attribute('OperatorRole') },
  },
})

const sub = (text: string) => ({ 'Fn::Sub': text })
const attribute = (resource: string) => ({ 'Fn::GetAtt': [resource, 'Arn'] })

/** The ARNs of the hub's functions that take this kind of role, and of no others. */
const takers = (kind: RoleKind) =>
  (Object.keys(taken) as Traveller[])
    .filter((name) => taken[name] === kind)
    .map((name) => sub(`arn:\${AWS::Partition}:iam::\${HubAccount}:role/${roleName('${Deployment}', name)}`))

/**
 * The hub's account is named as principal and the functions' roles by a condition: a principal that names a role must exist
 * when the template is applied, and would be void once the hub's role was made again.
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
  viewer: 'Looks at the clusters of this account for calico-ipvs-sync. Changes nothing.',
  operator: 'Takes the steps of a rollout in the clusters of this account for calico-ipvs-sync.',
}

const [clusters, kubeProxy] = ['cluster/*', 'addon/*/kube-proxy/*'].map((rest) =>
  sub(`arn:\${AWS::Partition}:eks:*:\${AWS::AccountId}:${rest}`),
)

/** Exactly what the functions call: a test holds both together. In AWS neither role can change anything. */
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
 * One for each region, so that no region waits for another's: its name is CloudFormation's. All that can be done with it
 * is to send what AWS itself says to the hub, which believes none of it.
 */
const forwarder = {
  Type: 'AWS::IAM::Role',
  Condition: 'Forwards',
  Properties: {
    Description: 'EventBridge forwards events of EKS to the hub of calico-ipvs-sync by it.',
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

/** After an hour a sweep has looked anyway. */
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
      },
    ],
  },
})
