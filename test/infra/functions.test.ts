import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../infra/config.ts'
import { assumedGapMinutes, gapAfter } from '../../shared/domain/history/day.ts'
import { daysBeside } from '../../shared/domain/history/history.ts'
import { readSettings } from '../../shared/settings.ts'
import { evaluateSettings, rolloutStepSettings } from '../../shared/worker-settings.ts'
import { notifySlackSettings, tellSettings } from '../../shared/notice-settings.ts'
import { onEventSettings, listClustersSettings, sweepSettings } from '../../shared/event-settings.ts'
import { account, deployment, everything, labelled, region } from './deployment.ts'

const full = deployment(everything)
const plain = deployment()
const environmentIn = (stack: typeof full, label: string) => {
  const { Variables } = labelled(stack, 'AWS::Lambda::Function', label).properties['Environment'] as {
    Variables: Record<string, string>
  }
  return Variables
}

const settings = {
  OnEvent: onEventSettings,
  Sweep: sweepSettings,
  ListClusters: listClustersSettings,
  Evaluate: evaluateSettings,
  RolloutStep: rolloutStepSettings,
  Tell: tellSettings,
  NotifySlack: notifySlackSettings,
}

describe('settings', () => {
  test.each(Object.entries(settings))(
    '%s finds in its environment every setting it reads, and nothing else of ours',
    (label, schema) => {
      const variables = environmentIn(full, label)
      expect(() => readSettings(schema, variables)).not.toThrow()
      const ours = Object.keys(variables).filter((name) => !name.startsWith('POWERTOOLS_'))
      expect(ours.toSorted()).toEqual(Object.keys(schema.shape).toSorted())
    },
  )

  test('a deployment without configuration watches its own account and region, and only reports', () => {
    expect(plain.configured['Evaluate']).toEqual({
      fleet: { own: account, regions: [region], accounts: [{ account }] },
      policy: { action: 'report' },
      sweep: { everyMinutes: 60, withinMinutes: 15 },
    })
  })

  test('guards reach both functions as they were configured, and wrong ones are named before anything is deployed', () => {
    const policy = {
      windows: [{ days: ['sat', 'sun'], from: '22:00', to: '04:00', timezone: 'Europe/Berlin' }],
      exceptions: [{ cluster: '*/prod-1', code: 'RANGE_DIFFERS', until: '2027-03-31', reason: 'moves' }],
      clustersAtOnce: 3,
      pauseOnAlarms: ['checkout-errors'],
    }
    const stack = deployment({ env: { account, region }, policy })
    for (const label of ['Evaluate', 'RolloutStep'])
      expect(stack.configured[label]?.policy).toEqual({ action: 'report', ...policy })
    const wrong = (guards: object) => () => parseConfig({ policy: guards })
    const [window] = policy.windows
    expect(wrong({ windows: [{ ...window, timezone: 'Europe/Bärlin' }] })).toThrow(/tz database/)
    expect(wrong({ windows: [{ ...window, from: '25:00' }] })).toThrow(/time of day/)
    expect(wrong({ windows: [{ ...window, weekdays: ['sat'] }] })).toThrow(/weekdays/)
    expect(wrong({ exceptions: [{ cluster: '*', until: 'next week', reason: 'x' }] })).toThrow(/is a date/)
    expect(wrong({ exceptions: [{ cluster: '*', until: '2027-03-31' }] })).toThrow(/reason/)
    expect(wrong({ exceptions: [{ cluster: '*', code: 'RANGE', until: '2027-03-31', reason: 'x' }] })).toThrow(/code/)
    expect(wrong({ clustersAtOnce: 0 })).toThrow(/clustersAtOnce/)
  })

  test('a history reads enough days beside its own for the longest gap of a configuration, and assumes the default', () => {
    expect(gapAfter(parseConfig({}).sweep)).toBe(assumedGapMinutes)
    const rarest = { everyMinutes: 1440, withinMinutes: 240 }
    expect(parseConfig({ sweep: rarest }).sweep).toEqual(rarest)
    for (const more of [{ everyMinutes: 1441 }, { withinMinutes: 241 }])
      expect(() => parseConfig({ sweep: { ...rarest, ...more } })).toThrow(/sweep/)
    expect(gapAfter(rarest)).toBeLessThanOrEqual(daysBeside() * 1440)
  })

  test('the fleet and the policy of the configuration reach the functions', () => {
    const sweep = { everyMinutes: 1440, withinMinutes: 60 }
    const stack = deployment({ ...everything, policy: { action: 'sync', maxUnavailable: '10%' }, sweep })
    expect(stack.configured['RolloutStep']).toEqual({
      fleet: { own: account, regions: everything.regions, accounts: everything.accounts },
      policy: { action: 'sync', maxUnavailable: '10%' },
      sweep,
    })
  })
})

describe('functions', () => {
  test('run on Node 24 on arm64, from a bundle of their own', () => {
    const functions = full.ofType('AWS::Lambda::Function')
    expect(functions).toHaveLength(10)
    for (const { properties } of functions)
      expect(properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], Handler: 'index.handler' })
    const code = functions.map(({ properties }) => (properties['Code'] as { S3Key: string }).S3Key)
    expect(new Set(code).size).toBe(10)
  })

  test('only those that feed their own queue may do so', () => {
    const loops = full
      .ofType('AWS::Lambda::Function')
      .filter(({ properties }) => properties['RecursiveLoop'] === 'Allow')
    expect(loops.map(({ logicalId }) => logicalId.slice(0, -8))).toEqual([
      'Tell',
      'ListClusters',
      'Evaluate',
      'RolloutStep',
    ])
  })

  test('only those that talk to Kubernetes stand in the VPC', () => {
    const inside = full.ofType('AWS::Lambda::Function').filter(({ properties }) => properties['VpcConfig'])
    const place = { SubnetIds: everything.vpc.subnetIds, SecurityGroupIds: everything.vpc.securityGroupIds }
    expect(inside.map(({ properties }) => properties['VpcConfig'])).toEqual([place, place])
    expect(inside.map(({ logicalId }) => logicalId.slice(0, -8))).toEqual(['Evaluate', 'RolloutStep'])
  })

  test('each writes to a log group that is kept for 90 days', () => {
    expect(full.ofType('AWS::Logs::LogGroup').map(({ properties }) => properties['RetentionInDays'])).toEqual(
      Array(10).fill(90),
    )
  })

  test('concurrency is reserved where the configuration says so, and nowhere else', () => {
    const reserved = (stack: typeof full) =>
      stack
        .ofType('AWS::Lambda::Function')
        .flatMap(({ properties }) => properties['ReservedConcurrentExecutions'] ?? [])
    expect(reserved(plain)).toEqual([])
    expect(reserved(full)).toEqual([20])
  })
})

describe('Slack', () => {
  test('is not deployed without a webhook', () => {
    const slack = plain.resources.filter(({ logicalId }) => /slack/i.test(logicalId))
    expect(slack).toEqual([])
  })

  test('is told what the topic tells, with its subject', () => {
    const subscription = full
      .ofType('AWS::SNS::Subscription')
      .find(({ properties }) => properties['Protocol'] === 'sqs')
    // Raw delivery would drop the subject, which is the headline.
    expect(subscription?.properties).not.toHaveProperty('RawMessageDelivery')
    expect(subscription?.properties).toMatchObject({
      TopicArn: labelled(full, 'AWS::SNS::Topic', 'Notices').arn,
      Endpoint: labelled(full, 'AWS::SQS::Queue', 'SlackNotices').arn,
    })
  })
})

describe('memory', () => {
  test('records are keyed by cluster, forgotten when they expire, and outlive the stack', () => {
    const table = labelled(full, 'AWS::DynamoDB::Table', 'Records')
    expect(table.properties).toMatchObject({
      KeySchema: [
        { AttributeName: 'cluster', KeyType: 'HASH' },
        { AttributeName: 'record', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    })
  })

  test('people are told by email of clusters and of alarms', () => {
    const emails = full.ofType('AWS::SNS::Subscription').filter(({ properties }) => properties['Protocol'] === 'email')
    expect(emails.map(({ properties }) => properties['TopicArn'])).toEqual(
      ['Alarms', 'Notices'].map((label) => labelled(full, 'AWS::SNS::Topic', label).arn),
    )
  })
})
