import { describe, expect, test } from '@jest/globals'
import { touchedBy } from '../../shared/domain/event/touched.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const call = (detail: object) => ({
  ...place,
  'detail-type': 'AWS API Call via CloudTrail',
  source: 'aws.eks',
  detail: { eventSource: 'eks.amazonaws.com', ...detail },
})

describe('a CloudTrail call names its cluster', () => {
  test.each([
    ['UpdateClusterConfig', { requestParameters: { name: 'prod-1' }, responseElements: { update: { id: '8f0' } } }],
    ['CreateCluster of 2018', { requestParameters: { clusterName: 'prod-1' } }],
    ['DeleteNodegroup', { requestParameters: null, responseElements: { nodegroup: { clusterName: 'prod-1' } } }],
    ['CreateCluster', { requestParameters: {}, responseElements: { cluster: { name: 'prod-1' } } }],
    [
      'TagResource',
      { requestParameters: { resourceArn: 'arn%3Aaws%3Aeks%3Aeu-west-1%3A111122223333%3Acluster%2Fprod-1' } },
    ],
    ['anything with an ARN', { resources: [{ ARN: 'arn:aws:eks:eu-west-1:111122223333:cluster/prod-1' }] }],
  ])('%s', (eventName, detail) => {
    expect(touchedBy(call({ eventName, ...detail }))).toMatchObject({ clusters: [{ ...place, name: 'prod-1' }] })
  })

  test('and the update it started, for the log', () => {
    const event = call({
      eventName: 'UpdateAddon',
      requestParameters: { name: 'a' },
      responseElements: { update: { id: '8f0' } },
    })
    expect(touchedBy(event)).toMatchObject({ cause: 'UpdateAddon 8f0' })
  })
})

describe('an event is ignored, with the reason', () => {
  test.each([
    [
      'a failed call',
      call({ eventName: 'UpdateAddon', errorCode: 'AccessDenied', requestParameters: { name: 'a' } }),
      'AccessDenied',
    ],
    [
      'a call of another service',
      call({ eventSource: 'ec2.amazonaws.com', eventName: 'RunInstances' }),
      'not a call to EKS',
    ],
    [
      'a name no cluster can have',
      call({ eventName: 'UpdateAddon', requestParameters: { name: '../etc' } }),
      'names no cluster',
    ],
    ['an unknown type', { 'detail-type': 'EKS Cluster State Change', detail: {} }, 'EKS Cluster State Change'],
    ['nothing at all', undefined, 'missing'],
    ['a text', 'hello', 'missing'],
    [
      'Config item of something else',
      {
        'detail-type': 'Config Configuration Item Change',
        detail: { configurationItem: { resourceType: 'AWS::S3::Bucket' } },
      },
      'S3',
    ],
    [
      'broken percent-encoding',
      call({ eventName: 'TagResource', requestParameters: { resourceArn: '%E0%A4%A' } }),
      'names no cluster',
    ],
  ])('%s', (_, event, reason) => {
    expect(touchedBy(event)).toEqual({ ignored: expect.stringContaining(reason) })
  })
})

describe('EKS and AWS Config say it in their own shapes', () => {
  const arn = 'arn:aws:eks:eu-west-1:111122223333:addon/prod-1/kube-proxy/82c8'
  const config = (detail: object) => ({
    ...place,
    'detail-type': 'Config Configuration Item Change',
    source: 'aws.config',
    detail,
  })
  const item = { awsAccountId: '111122223333', awsRegion: 'us-east-2', resourceName: 'prod-1', resourceId: 'prod-1' }

  test.each([
    [
      'add-on event with a name',
      { ...place, 'detail-type': 'EKS Addon Update Succeeded', detail: { clusterName: 'prod-1' } },
      place,
    ],
    [
      'add-on event with an ARN',
      { ...place, 'detail-type': 'EKS Addon Health Degraded', detail: {}, resources: [arn] },
      place,
    ],
    [
      'cluster item',
      config({ configurationItem: { ...item, resourceType: 'AWS::EKS::Cluster' } }),
      { ...place, region: 'us-east-2' },
    ],
    [
      'oversized item',
      config({
        messageType: 'OversizedConfigurationItemChangeNotification',
        configurationItemSummary: { ...item, resourceType: 'AWS::EKS::Cluster' },
      }),
      { ...place, region: 'us-east-2' },
    ],
    [
      'add-on item',
      config({
        configurationItem: {
          resourceType: 'AWS::EKS::Addon',
          configuration: { ClusterName: 'prod-1' },
          resourceId: 'prod-1|kube-proxy',
        },
      }),
      place,
    ],
  ])('%s', (_, event, expected) => {
    expect(touchedBy(event)).toMatchObject({ clusters: [{ ...expected, name: 'prod-1' }] })
  })
})
