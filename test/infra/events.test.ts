import { describe, expect, test } from '@jest/globals'
import { type EventPattern, matchesPattern } from '../../lab/aws/event-pattern.ts'
import { deployment, labelled } from './deployment.ts'

const stack = deployment()
const rules = stack.ofType('AWS::Events::Rule')

const heardBy = (event: unknown) =>
  rules
    .filter(({ properties }) => matchesPattern(properties['EventPattern'] as EventPattern, event))
    .map(({ logicalId }) => logicalId.slice(0, -8))

const call = (eventName: string, detail: object = {}) => ({
  version: '0',
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.eks',
  account: '111122223333',
  region: 'eu-west-1',
  resources: [],
  detail: {
    eventSource: 'eks.amazonaws.com',
    eventName,
    awsRegion: 'eu-west-1',
    requestParameters: { name: 'prod-1' },
    responseElements: {},
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    ...detail,
  },
})

const own = (detailType: string) => ({
  'detail-type': detailType,
  source: 'aws.eks',
  resources: ['arn:aws:eks:eu-west-1:111122223333:addon/prod-1/kube-proxy/82c8'],
  detail: {},
})

const item = (detail: object) => ({ 'detail-type': 'Config Configuration Item Change', source: 'aws.config', detail })

describe('events that are heard', () => {
  test.each([
    ['CreateCluster'],
    ['DeleteCluster'],
    ['UpdateClusterConfig'],
    ['UpdateClusterVersion'],
    ['CancelUpdate'],
    ['CreateAddon'],
    ['UpdateAddon'],
    ['DeleteAddon'],
    ['CreateNodegroup'],
    ['UpdateNodegroupConfig'],
    ['UpdateNodegroupVersion'],
    ['DeleteNodegroup'],
    ['CreateFargateProfile'],
    ['DeleteFargateProfile'],
    ['CreateAccessEntry'],
    ['UpdateAccessEntry'],
    ['DeleteAccessEntry'],
    ['AssociateAccessPolicy'],
    ['DisassociateAccessPolicy'],
    ['TagResource'],
    ['UntagResource'],
  ])('the call %s', (name) => expect(heardBy(call(name))).toEqual(['ClusterCalls']))

  test.each([
    ['EKS Addon Creation Succeeded'],
    ['EKS Addon Creation Failed'],
    ['EKS Addon Update Succeeded'],
    ['EKS Addon Update Failed'],
    ['EKS Addon Deletion Succeeded'],
    ['EKS Addon Deletion Failed'],
    ['EKS Addon Health Degraded'],
    ['EKS Addon Health Restored'],
  ])('%s', (detailType) => expect(heardBy(own(detailType))).toEqual(['AddonEvents']))

  test.each([['AWS::EKS::Cluster'], ['AWS::EKS::Addon']])(
    'a configuration item of %s, whole or too large',
    (resourceType) => {
      const whole = { messageType: 'ConfigurationItemChangeNotification', configurationItem: { resourceType } }
      const large = {
        messageType: 'OversizedConfigurationItemChangeNotification',
        configurationItemSummary: { resourceType },
      }
      expect(heardBy(item(whole))).toEqual(['ConfigurationItems'])
      expect(heardBy(item(large))).toEqual(['ConfigurationItems'])
    },
  )
})

describe('events that are not', () => {
  test.each([
    ['a call that failed', call('UpdateAddon', { errorCode: 'AccessDenied', responseElements: null })],
    ['a call that only read', call('DescribeCluster', { readOnly: true })],
    ['a read under the name of a write', call('UpdateAddon', { readOnly: true })],
    ['a connected cluster', call('RegisterCluster')],
    ['the same call of another service', call('TagResource', { eventSource: 'ecs.amazonaws.com' })],
    ['the end of a Fargate pod', own('EKS Fargate Pod Scheduled Termination')],
    ['a configuration item of another service', item({ configurationItem: { resourceType: 'AWS::EC2::Instance' } })],
    ['a message of AWS Config without an item', item({ messageType: 'SnapshotCompleted' })],
    ['an event from somewhere else', { ...own('EKS Addon Update Succeeded'), source: 'my.app' }],
  ])('%s', (_, event) => expect(heardBy(event)).toEqual([]))
})

describe('delivery', () => {
  const onEvent = labelled(stack, 'AWS::Lambda::Function', 'OnEvent')
  const sweep = labelled(stack, 'AWS::Lambda::Function', 'Sweep')

  test('every rule leads to on-event, and to its dead letters where that fails for an hour', () => {
    const letters = labelled(stack, 'AWS::SQS::Queue', 'EventsDeadLetters')
    expect(rules).toHaveLength(4)
    for (const { properties } of rules)
      expect(properties['Targets']).toMatchObject([
        { Arn: onEvent.arn, DeadLetterConfig: { Arn: letters.arn }, RetryPolicy: { MaximumEventAgeInSeconds: 3600 } },
      ])
  })

  test.each([
    ['on-event', onEvent, 'EventsDeadLetters'],
    ['sweep', sweep, 'SweepDeadLetters'],
  ])('what %s cannot handle is kept', (_, { name }, queue) => {
    const [configuration] = stack
      .ofType('AWS::Lambda::EventInvokeConfig')
      .filter(({ properties }) => properties['FunctionName'] === name)
    expect(configuration?.properties['DestinationConfig']).toEqual({
      OnFailure: { Destination: labelled(stack, 'AWS::SQS::Queue', queue).arn },
    })
  })

  test('the sweep comes every hour, spread over a quarter of it', () => {
    const [schedule] = stack.ofType('AWS::Scheduler::Schedule')
    expect(schedule?.properties).toMatchObject({
      ScheduleExpression: 'rate(60 minutes)',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      Target: { Arn: sweep.arn, DeadLetterConfig: { Arn: labelled(stack, 'AWS::SQS::Queue', 'SweepDeadLetters').arn } },
    })
  })
})
