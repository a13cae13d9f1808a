import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseConfig } from '../../infra/config.ts'
import { matchesPattern } from '../../lab/aws/event-pattern.ts'
import { combinationsOf, filterPolicyOf, type Route, takes } from '../../shared/domain/notice/route.ts'
import { readSettings } from '../../shared/settings.ts'
import { tellSettings } from '../../shared/notice-settings.ts'
import { account, deployment, labelled, region, statementsOf } from './deployment.ts'

const secretArn = `arn:aws:secretsmanager:${region}:${account}:secret:slack-AbCdEf`
const topicArn = `arn:aws:sns:${region}:${account}:pager`
const routed = deployment({
  env: { account, region },
  emails: ['all@example.com'],
  runbookBaseUrl: 'https://docs.example.com/runbook.md',
  notices: {
    routes: [
      { severity: 'critical', topicArn, kmsKeyArn: `arn:aws:kms:${region}:${account}:key/1234` },
      { tag: { key: 'team', value: 'payments' }, account, emails: ['payments@example.com'] },
      { cluster: ['prod-*'], slack: { secretArn, channel: 'C024BE91L' } },
      { format: 'chat', severity: ['critical', 'warning'] },
    ],
    quietHours: { windows: [{ from: '22:00', to: '06:00', timezone: 'Europe/Berlin' }] },
  },
})
const subscriptions = routed.ofType('AWS::SNS::Subscription').map(({ properties }) => properties)
const notices = labelled(routed, 'AWS::SNS::Topic', 'Notices').arn
const policyFor = (endpoint: RegExp) =>
  subscriptions.find(({ TopicArn, Endpoint }) => TopicArn === notices && endpoint.test(String(Endpoint)))?.[
    'FilterPolicy'
  ]

describe('routes', () => {
  test('are filter policies of subscriptions; who has no route is told of everything but steps on the way', () => {
    expect(policyFor(/^all@/)).toEqual({ kind: [{ 'anything-but': ['progress'] }] })
    expect(policyFor(/^payments@/)).toEqual({
      account: [account],
      tag: ['team=payments'],
      kind: [{ 'anything-but': ['progress'] }],
    })
    expect(policyFor(/Slack/)).toEqual({ cluster: [{ prefix: 'prod-' }] })
  })

  test('to other topics reach the function that tells, and it may publish there and use that key', () => {
    const { Variables } = labelled(routed, 'AWS::Lambda::Function', 'Tell').properties['Environment'] as {
      Variables: Record<string, string>
    }
    const chat = labelled(routed, 'AWS::SNS::Topic', 'ChatNotices4').arn
    expect(readSettings(tellSettings, Variables).NOTICES).toEqual({
      runbook: 'https://docs.example.com/runbook.md',
      digest: { moreThan: 10, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' },
      quietHours: {
        windows: [{ from: '22:00', to: '06:00', timezone: 'Europe/Berlin' }],
        holds: ['info', 'warning'],
      },
      tags: ['team=payments'],
      topics: [
        { arn: topicArn, format: 'text', route: { severity: ['critical'] } },
        { arn: chat, format: 'chat', route: { severity: ['critical', 'warning'] } },
      ],
    })
    const [publish] = statementsOf(routed, 'TellRole').filter(({ Action }) => Action === 'sns:Publish')
    expect(new Set(publish?.Resource)).toEqual(new Set([notices, topicArn, chat]))
    const [use] = statementsOf(routed, 'TellRole').filter(({ Action }) => String(Action).includes('kms:Decrypt'))
    expect(use?.Resource).toContain(`arn:aws:kms:${region}:${account}:key/1234`)
  })

  test('what waits is listed and removed, and threads are remembered, under one key of the table each', () => {
    const under = (role: string, action: RegExp) =>
      statementsOf(routed, role)
        .filter(({ Action }) => action.test(String(Action)))
        .map(({ Condition }) => Condition)
    const only = (place: string) => [{ 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [place] } }]
    expect(under('TellRole', /dynamodb:Query/)).toEqual(only('notices'))
    expect(under('Slack3NotifySlackRole', /dynamodb:/)).toEqual(only('slack'))
  })
})

describe('a configuration of notices', () => {
  const refused =
    (notices: object, more: object = {}) =>
    () =>
      parseConfig({ env: { account, region }, ...more, notices })
  const route = (it: object, more: object = {}) => refused({ routes: [it] }, more)

  test('may name an account of the organization that it does not name itself', () => {
    const organization = { organizationId: 'o-a1b2c3d4e5', organization: { units: ['r-ab12'] } }
    const toOne = { account: '999988887777', emails: ['a@example.com'] }
    expect(route(toOne, { accounts: [{ account }], ...organization })).not.toThrow()
  })

  test.each([
    ['a route that leads to nobody', route({ severity: 'critical' }), /has no recipient/],
    ['mail on a topic for chats', route({ format: 'chat', emails: ['a@example.com'] }), /need a separate route/],
    ['a topic of another region', route({ topicArn: `arn:aws:sns:us-east-1:${account}:pager` }), /is of us-east-1/],
    ['a FIFO topic', route({ topicArn: `${topicArn}.fifo` }), /standard topic/],
    [
      'a secret of another region',
      route({ slack: { secretArn: secretArn.replace(region, 'us-east-1') } }),
      /is of us-east-1/,
    ],
    ['a channel by its name', route({ slack: { secretArn, channel: '#ops' } }), /id of a channel/],
    [
      'an address that stands twice',
      route({ emails: ['a@example.com'] }, { emails: ['a@example.com'] }),
      /one subscription for an address/,
    ],
    [
      'an account outside the fleet',
      route({ account: '999988887777', emails: ['a@example.com'] }, { accounts: [{ account }] }),
      /no account of the fleet/,
    ],
    ['a star in the middle of a name', route({ cluster: 'prod-*-1', emails: ['a@example.com'] }), /beginning of names/],
    [
      'a key without its topic',
      route({ emails: ['a@example.com'], kmsKeyArn: `arn:aws:kms:${region}:${account}:key/1` }),
      /belongs to a topicArn, which is missing/,
    ],
    ['a time zone that is none', refused({ digest: { timezone: 'Europe/Bärlin' } }), /tz database/],
    ['quiet hours without an end', refused({ quietHours: { windows: [{ from: '22:00', timezone: 'UTC' }] } }), /to/],
    [
      'more combinations than SNS takes',
      route({
        account: Array.from({ length: 51 }, (_, index) => String(100_000_000_000 + index)),
        severity: ['critical', 'warning', 'info'],
        emails: ['a@example.com'],
      }),
      /153 combinations of values.*150 at most/,
    ],
    [
      'more subscriptions than SNS filters',
      refused({
        routes: [{ severity: 'critical', emails: Array.from({ length: 201 }, (_, index) => `a${index}@example.com`) }],
      }),
      /201 subscriptions/,
    ],
    [
      'more than ten Slack channels',
      refused({ routes: Array.from({ length: 11 }, () => ({ slack: { secretArn } })) }),
      /have Slack 11 times/,
    ],
  ])('with %s is refused by name', (_, parse, message) => expect(parse).toThrow(message))

  test('takes one value for a list', () => {
    const { notices } = parseConfig({ notices: { routes: [{ severity: 'critical', emails: ['a@example.com'] }] } })
    expect(notices.routes[0]).toMatchObject({ severity: ['critical'], format: 'text' })
    expect(parseConfig({}).notices).toMatchObject({ routes: [], digest: { moreThan: 10, settleSeconds: 60 } })
  })
})

test('what we publish to other topics is what SNS would deliver by the filter policy of the same route', () => {
  const of = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 })
  const route = fc.record(
    {
      severity: of('critical' as const, 'warning' as const, 'info' as const),
      account: of('1', '2', '3'),
      cluster: of('prod-1', 'prod-*', 'dev', '*'),
      tag: of({ key: 'team', value: 'a' }, { key: 'team', value: 'b' }),
    },
    { requiredKeys: [] },
  )
  const attributes = fc.record({
    severity: fc.oneof(
      fc.constantFrom('critical' as const, 'info' as const),
      of('critical' as const, 'warning' as const),
    ),
    cluster: fc.oneof(fc.constantFrom('prod-1', 'prod-2', 'dev', '*'), of('prod-9', 'dev', 'stage')),
    account: fc.oneof(fc.constantFrom('1', '9'), of('2', '9')),
    tag: fc.subarray(['team=a', 'team=b', 'x=y']),
    kind: fc.constantFrom('trouble' as const, 'progress' as const, 'halted' as const),
  })
  fc.assert(
    fc.property(route, attributes, fc.boolean(), (given: Route, it, progress) => {
      const policy = filterPolicyOf(given, { progress })
      expect(takes(given, { subject: '', text: '', attributes: it }, progress)).toBe(matchesPattern(policy, it))
      expect(Object.keys(policy).length).toBeLessThanOrEqual(5)
      expect(combinationsOf(policy)).toBeGreaterThanOrEqual(1)
    }),
  )
})
