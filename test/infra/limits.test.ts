import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseConfig } from '../../infra/config.ts'
import { checkLimits, limits } from '../../infra/limits/check.ts'
import { account, deployment, region } from './deployment.ts'

const env = { account, region }
type Resources = Record<string, { Type: string; Properties: Record<string, unknown> }>

const many = (count: number, Type: string, Properties: Record<string, unknown> = {}): Resources =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`It${index}`, { Type, Properties }]))
const one = (Type: string, Properties: Record<string, unknown>) => many(1, Type, Properties)
const text = (length: number) => 'x'.repeat(length)
/** A document of exactly this length. */
const document = (length: number) => ({ a: text(length - '{"a":""}'.length) })
const inline = (length: number): Resources => ({
  It0: { Type: 'AWS::IAM::Role', Properties: {} },
  Policy: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'It0' }], PolicyDocument: document(length) } },
})
const sized = (bytes: number) => {
  const around = JSON.stringify({ Resources: one('T', { a: '' }), Outputs: {} }).length
  return one('T', { a: text(bytes - around) })
}
const filters = (count: number) => many(count, 'AWS::Logs::MetricFilter', { LogGroupName: 'Evaluate' })
const alarm = (Period: number) => (EvaluationPeriods: number) =>
  one('AWS::CloudWatch::Alarm', { Period, EvaluationPeriods })
const ofDocument =
  (type: string, property = 'PolicyDocument') =>
  (length: number) =>
    one(type, { [property]: document(length) })
const named = (type: string, property: string) => (length: number) => one(type, { [property]: text(length) })

/** Each limit with its number, a template that has so much of it, and the sentence for one more. */
const table: [quota: string, most: number, of: (count: number) => Resources, sentence: RegExp][] = [
  [
    'Resources in a template: 500',
    500,
    (n) => many(n, 'T'),
    /would have 501 resources .* 500; most are 501 T\. Use the address of a mailing list in `emails`/,
  ],
  ['Template body in S3: 1 MB', 1_000_000, sized, /template would have 1000001 bytes .* List fewer roles/],
  [
    'Lengths of names',
    64,
    named('AWS::IAM::Role', 'RoleName'),
    /of 65 characters, and AWS takes 64 for AWS::IAM::Role\. Choose a shorter `stackName`/,
  ],
  [
    'Description of an alarm: 1,024 characters',
    1_024,
    (n) => one('AWS::CloudWatch::Alarm', { AlarmDescription: text(n) }),
    /description of an alarm would have 1025 characters .* `runbookBaseUrl`/,
  ],
  [
    'Inline policies of a role: 10,240 characters',
    10_240,
    inline,
    /policies of It0 would have 10241 characters and IAM takes 10,240 for a role\. Give accounts the fixed role names/,
  ],
  [
    'AWS::IAM::ManagedPolicy PolicyDocument: 6144 characters',
    6_144,
    ofDocument('AWS::IAM::ManagedPolicy'),
    /would have 6145 characters and AWS takes 6144/,
  ],
  [
    'AWS::IAM::Role AssumeRolePolicyDocument: 2048 characters',
    2_048,
    ofDocument('AWS::IAM::Role', 'AssumeRolePolicyDocument'),
    /would have 2049 characters .* `organizationId`/,
  ],
  [
    'AWS::SNS::TopicPolicy PolicyDocument: 30720 characters',
    30_720,
    ofDocument('AWS::SNS::TopicPolicy'),
    /would have 30721/,
  ],
  [
    'AWS::SQS::QueuePolicy PolicyDocument: 65536 characters',
    65_536,
    ofDocument('AWS::SQS::QueuePolicy'),
    /would have 65537/,
  ],
  ['AWS::KMS::Key KeyPolicy: 32768 characters', 32_768, ofDocument('AWS::KMS::Key', 'KeyPolicy'), /would have 32769/],
  [
    'AWS::S3::BucketPolicy PolicyDocument: 20480 characters',
    20_480,
    ofDocument('AWS::S3::BucketPolicy'),
    /would have 20481/,
  ],
  [
    'Event bus policy: 10,240 characters',
    10_240,
    ofDocument('AWS::Events::EventBusPolicy', 'Statement'),
    /event bus would have 10241 characters .* Use `organizationId` instead of a list of accounts/,
  ],
  [
    'Environment variables of a function: 4,096 bytes',
    4_096,
    (n) => one('AWS::Lambda::Function', { Environment: { Variables: { A: text(n - 1) } } }),
    /variables of It0 would have 4097 bytes and Lambda takes 4,096\. Choose a shorter `stackName`/,
  ],
  [
    'Environment variables of a function: 4,096 bytes',
    4_096,
    (n) => one('AWS::Lambda::Function', { Environment: { Variables: { NOTICES: text(n - 7) } } }),
    /variables of It0 would have 4097 bytes and Lambda takes 4,096\. Name fewer topics in `notices\.routes`/,
  ],
  ['Function timeout: 900 seconds', 900, (n) => one('AWS::Lambda::Function', { Timeout: n }), /It0 would have 901 s/],
  [
    'Managed policies of a role: 10',
    10,
    (n) => one('AWS::IAM::Role', { ManagedPolicyArns: Array(n).fill('arn') }),
    /It0 would have 11 managed policies and IAM takes 10/,
  ],
  [
    'Rules of an event bus: 300',
    300,
    (n) => many(n, 'AWS::Events::Rule'),
    /would have 301 rules and EventBridge takes 300\. Request a higher quota/,
  ],
  [
    'Event pattern: 2,048 characters',
    2_048,
    ofDocument('AWS::Events::Rule', 'EventPattern'),
    /would have 2049 characters .* Name fewer regions in `regions`/,
  ],
  [
    'Targets of a rule: 5',
    5,
    (n) => one('AWS::Events::Rule', { Targets: Array.from({ length: n }, () => ({})) }),
    /would have 6 targets/,
  ],
  [
    'Evaluation range of an alarm: a day, with periods of an hour or more a week',
    1_440,
    alarm(60),
    /would evaluate 1441 periods of 60 s, and CloudWatch allows 86400 s.*`sweep\.everyMinutes`/,
  ],
  [
    'Evaluation range of an alarm: a day, with periods of an hour or more a week',
    7,
    alarm(86_400),
    /would evaluate 8 periods of 86400 s/,
  ],
  ['Metric filters of a log group: 100', 100, filters, /would have 101 metric filters/],
]

const outputs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`Out${index}`, {}]))
const checked =
  (Resources: Resources, Outputs = {}) =>
  () =>
    checkLimits('Test', { Resources, Outputs })

describe('a limit of AWS', () => {
  test.each(table)('%s: %d is taken, one more is refused with what to do', (_, most, of, sentence) => {
    expect(checked(of(most))).not.toThrow()
    expect(checked(of(most + 1))).toThrow(sentence)
  })

  test('Outputs in a template: 200 are taken, one more is refused with what to do', () => {
    expect(checked({}, outputs(200))).not.toThrow()
    expect(checked({}, outputs(201))).toThrow(/201 outputs .* Disable features/)
  })

  test('each is in this table', () => {
    const quotas = [...table.map(([quota]) => quota), 'Outputs in a template: 200']
    expect(new Set(limits.map(({ quota }) => quota))).toEqual(new Set(quotas))
  })

  test('counts what is deployed: references at their longest', () => {
    const Variables = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`V${index}`, { Ref: `Queue${index}` }]),
    )
    const resources = one('AWS::Lambda::Function', { Environment: { Variables } })
    expect(() => checkLimits(text(20), { Resources: resources })).not.toThrow()
    expect(() => checkLimits(text(100), { Resources: resources })).toThrow(/variables of It0/)
  })
})

describe('a configuration beyond a limit', () => {
  const arn = (alarm: string) => `arn:aws:cloudwatch:${region}:${alarm}`
  const rows: [what: string, config: fc.Arbitrary<object>, sentence: RegExp][] = [
    [
      'a name that CloudFormation takes for none',
      fc
        .stringMatching(/^([0-9-][a-z]{0,9}|[a-z]{1,5}[_ .][a-z]{0,5}|[a-z]{129,140})$/)
        .map((stackName) => ({ stackName })),
      /begins with a letter and has letters, digits and hyphens, 128 at most/,
    ],
    [
      'tags beyond 50',
      fc
        .integer({ min: 51, max: 90 })
        .map((n) => ({ tags: Object.fromEntries(Array.from({ length: n }, (_, i) => [`t${i}`, 'x'])) })),
      /and a stack takes 50: leave the others out/,
    ],
    [
      'a tag of AWS',
      fc.stringMatching(/^aws:[a-z]{1,9}$/).map((key) => ({ tags: { [key]: 'x' } })),
      /begins with aws:/,
    ],
    [
      'a long tag',
      fc.integer({ min: 257, max: 999 }).map((n) => ({ tags: { a: text(n) } })),
      /characters, and AWS takes 256/,
    ],
    [
      'a tag with other characters',
      fc.constantFrom('a;b', 'a,b', 'a*', '#').map((value) => ({ tags: { a: value } })),
      /may have letters, digits, spaces/,
    ],
    [
      'tags that differ by case',
      fc.constantFrom('team', 'TEAM').map((key) => ({ tags: { Team: 'x', [key]: 'x' } })),
      /is Team in another case/,
    ],
    [
      'subnets beyond 16',
      fc
        .integer({ min: 17, max: 40 })
        .map((n) => ({ vpc: { subnetIds: Array(n).fill('subnet-0a'), securityGroupIds: ['sg-0a'] } })),
      /and Lambda takes 16 for a function/,
    ],
    [
      'security groups beyond 5',
      fc
        .integer({ min: 6, max: 40 })
        .map((n) => ({ vpc: { subnetIds: ['subnet-0a'], securityGroupIds: Array(n).fill('sg-0a') } })),
      /and Lambda takes 5 for a function/,
    ],
    [
      'a topic that keeps an order',
      fc
        .stringMatching(/^[a-z]{1,20}$/)
        .map((name) => ({ alarmTopicArn: `arn:aws:sns:${region}:${account}:${name}.fifo` })),
      /is a FIFO topic, to which no alarm is sent/,
    ],
    [
      'an alarm topic of another region',
      fc
        .constantFrom('us-east-1', 'eusc-de-east-1', 'eu-central-1')
        .map((other) => ({ env, alarmTopicArn: `arn:aws:sns:${other}:${account}:x` })),
      /, and the stack is in eu-west-1/,
    ],
    [
      'an alarm that is none',
      fc
        .constantFrom(`arn:aws:sns:${region}:${account}:x`, 'arn:aws:cloudwatch', arn(`${account}:dashboard:x`))
        .map((it) => ({ env, policy: { pauseOnAlarms: [it] } })),
      /is no ARN of an alarm/,
    ],
    [
      'an alarm of another account',
      fc.stringMatching(/^[2-9]{12}$/).map((other) => ({ env, policy: { pauseOnAlarms: [arn(`${other}:alarm:x`)] } })),
      /only alarms of the stack's own, 111122223333, can be read/,
    ],
    [
      "a long alarm's name",
      fc.integer({ min: 256, max: 1_600 }).map((n) => ({ policy: { pauseOnAlarms: [text(n)] } })),
      /an alarm's name has 255/,
    ],
    [
      'addresses that stand there twice',
      fc
        .emailAddress({ size: 'small' })
        .filter((it) => /^[a-z0-9.]+@/.test(it))
        .map((it) => ({ emails: [it, it] })),
      /name each address once/,
    ],
    [
      'a sweep that is late before the next',
      fc.integer({ min: 5, max: 60 }).map((n) => ({ sweep: { everyMinutes: n, withinMinutes: n + 1 } })),
      /is more than everyMinutes/,
    ],
    [
      'a budget above all nodes',
      fc.integer({ min: 101, max: 999 }).map((n) => ({ policy: { maxUnavailable: `${n}%` } })),
      /policy\.maxUnavailable/,
    ],
    [
      'exceptions beyond 100',
      fc.integer({ min: 101, max: 150 }).map((n) => ({
        policy: { exceptions: Array.from({ length: n }, () => ({ cluster: '*', until: '2099-01-01', reason: 'x' })) },
      })),
      /policy\.exceptions/,
    ],
    [
      'a reason beyond 500 characters',
      fc
        .integer({ min: 501, max: 900 })
        .map((n) => ({ policy: { exceptions: [{ cluster: '*', until: '2099-01-01', reason: text(n) }] } })),
      /policy\.exceptions\[0\]\.reason/,
    ],
  ]
  test.each(rows)('%s is refused by name, however far beyond', (_, config, sentence) =>
    fc.assert(
      fc.property(config, (it) => expect(() => parseConfig(it)).toThrow(sentence)),
      { numRuns: 20 },
    ),
  )

  test('as many addresses as one can think of: the sentence says what to use instead', () => {
    const emails = Array.from({ length: 300 }, (_, index) => `person-${index}@example.com`)
    expect(() => deployment({ env, emails })).toThrow(
      /make 300 subscriptions, and a topic has 200 filter policies at most: use a mailing list/,
    )
  })
})

describe('a region', () => {
  test.each(['eusc-de-east-1', 'us-isob-east-1', 'us-gov-west-1', 'cn-northwest-1', 'mx-central-1', 'ap-southeast-7'])(
    '%s is one of AWS',
    (name) => expect(parseConfig({ env: { account, region: name }, regions: [name] }).regions).toEqual([name]),
  )

  test.each([
    [['eusc-de-east-1', 'eu-central-1'], /are of .*aws-eusc.*: each partition needs its own deployment/],
    [['us-iso-east-1', 'us-isob-east-1'], /are of aws-iso and aws-iso-b/],
  ])('those of two partitions are refused: %j', (regions, message) =>
    expect(() => parseConfig({ regions })).toThrow(message),
  )
})
