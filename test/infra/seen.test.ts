import { describe, expect, test } from '@jest/globals'
import { deployment, everything, labelled } from './deployment.ts'

const stack = deployment(everything)

describe('the dashboard', () => {
  const [dashboard] = stack.ofType('AWS::CloudWatch::Dashboard')
  const body = JSON.stringify(dashboard?.properties['DashboardBody'])

  test('is one of the stack’s name', () => {
    expect(stack.ofType('AWS::CloudWatch::Dashboard')).toHaveLength(1)
    expect(dashboard?.properties['DashboardName']).toBe('CalicoIpvsSync')
  })

  test.each([
    ['clusters by verdict', /ClustersOutOfStep.*ClustersUnknown.*ClustersChanging.*ClustersInStep/],
    ['the oldest verdict', /OldestVerdictSeconds/],
    ['rollouts and halts', /RolloutsBegun.*RolloutsDone.*RolloutsAborted.*RolloutsHalted/],
    ['the age of the queues', /ApproximateAgeOfOldestMessage/],
    ['dead letters', /ApproximateNumberOfMessagesVisible/],
    ['what it costs', /ConsumedWriteCapacityUnits.*IncomingBytes/],
  ])('shows %s', (_, metrics) => expect(body).toMatch(metrics))

  test('shows every alarm', () => {
    const arns = stack.ofType('AWS::CloudWatch::Alarm').map(({ arn }) => arn)
    for (const arn of arns) expect(body).toContain(arn)
  })
})

describe('the bucket of reports', () => {
  const { properties, ref } = labelled(stack, 'AWS::S3::Bucket', 'Reports')

  test('is private, versioned, encrypted, and forgets', () => {
    expect(properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      LifecycleConfiguration: {
        Rules: [{ ExpirationInDays: 400, NoncurrentVersionExpiration: { NoncurrentDays: 30 }, Status: 'Enabled' }],
      },
    })
  })

  test('refuses what does not come by TLS', () => {
    const [policy] = stack.ofType('AWS::S3::BucketPolicy').map((it) => it.properties)
    expect(policy).toMatchObject({
      Bucket: ref,
      PolicyDocument: {
        Statement: [{ Effect: 'Deny', Action: 's3:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
      },
    })
  })
})

test('the rule of AWS Config hears of changes, whole or too large, and of time, and only Config of this account may ask', () => {
  const { arn } = labelled(stack, 'AWS::Lambda::Function', 'ConfigRule')
  const [rule] = stack.ofType('AWS::Config::ConfigRule').map(({ properties }) => properties)
  expect(rule).toMatchObject({
    Scope: { ComplianceResourceTypes: ['AWS::EKS::Cluster'] },
    Source: { Owner: 'CUSTOM_LAMBDA', SourceIdentifier: arn },
  })
  const { SourceDetails } = (rule ?? {})['Source'] as { SourceDetails: { MessageType: string }[] }
  expect(SourceDetails.map(({ MessageType }) => MessageType)).toEqual([
    'ConfigurationItemChangeNotification',
    'OversizedConfigurationItemChangeNotification',
    'ScheduledNotification',
  ])
  const permissions = stack.ofType('AWS::Lambda::Permission').map(({ properties }) => properties)
  expect(permissions.filter(({ Principal }) => Principal === 'config.amazonaws.com')).toMatchObject([
    { FunctionName: arn, SourceAccount: '111122223333' },
  ])
})

test('the records say where they are, for the command history', () => {
  const table = labelled(stack, 'AWS::DynamoDB::Table', 'Records')
  expect(stack.ofType('AWS::SSM::Parameter').map(({ properties }) => properties)).toContainEqual(
    expect.objectContaining({ Name: '/calico-ipvs-sync/CalicoIpvsSync/records-table', Value: table.ref }),
  )
})
