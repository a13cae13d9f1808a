import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Stack, Validations } from 'aws-cdk-lib'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { flaggedApp } from '../../infra/app.ts'
import { root } from '../../infra/bundle.ts'
import { parseConfig, readConfig } from '../../infra/config.ts'
import { deployment, everything, ofOrganization } from './deployment.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-'))
afterAll(() => rmSync(folder, { recursive: true }))

const many = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => prefix + String(index).padStart(8, '0'))

const guarded = {
  ...everything,
  kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-1111-2222-333344445555',
  vpc: { ...everything.vpc, endpoints: { vpcId: 'vpc-0123456789abcdef0', routeTableIds: ['rtb-0123456789abcdef0'] } },
}

describe('the app', () => {
  test.each([
    ['nothing configured', {}],
    ['everything switched on', everything],
    ['accounts of an organization', { ...everything, ...ofOrganization }],
    ['a key of its own and endpoints in the VPC', guarded],
    ['another topic for alarms', { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:pager' }],
  ])('with %s passes cdk-nag and the rules of CloudFormation', (_, config) => {
    expect(() => deployment(config, true)).not.toThrow()
  })

  test('does not pass cdk-nag with a topic that takes plain HTTP', () => {
    const app = flaggedApp({ outdir: join(folder, 'nag'), rules: false })
    const open = new Topic(new Stack(app, 'Open'), 'Topic')
    expect(() => app.synth()).toThrow(/AwsSolutions-SNS3/)
    Validations.of(open).acknowledge({
      id: 'AwsSolutions-SNS3',
      reason: 'The test shows that this finding was the cause.',
    })
    expect(() => app.synth({ force: true })).not.toThrow()
  })

  test('is synthesized by a command line of the CDK that can read what the library writes', () => {
    const version = execFileSync(process.execPath, [join(root, 'node_modules/aws-cdk/bin/cdk'), '--version'], {
      encoding: 'utf8',
    })
    expect(version).toMatch(/^2\.\d+/)
  })
})

describe('the configuration', () => {
  beforeAll(() => writeFileSync(join(folder, 'deploy.json'), '{"regions": ["eu-north-1"]}'))

  test('only reports unless told otherwise, every hour, to nobody', () => {
    expect(parseConfig({})).toMatchObject({
      policy: {},
      sweep: { everyMinutes: 60, withinMinutes: 15 },
      emails: [],
      clusters: [],
      tracing: false,
    })
  })

  test('is read from deploy.json where there is one, and from the file that is named', () => {
    expect(readConfig(folder).regions).toEqual(['eu-north-1'])
    expect(readConfig(join(folder, 'nowhere')).regions).toBeUndefined()
    expect(() => readConfig(folder, 'other.json')).toThrow(/other\.json.*no such file/)
  })

  test.each([
    ['a knob that does not exist', { sweeps: {} }, /sweeps/],
    ['an unknown action', { policy: { action: 'fix' } }, /policy\.action/],
    ['a region that is none', { regions: ['Ireland'] }, /regions/],
    ['a webhook instead of a secret', { slackWebhookSecretArn: 'https://hooks.slack.com/x' }, /is no ARN of a secret/],
    [
      'an account without a role where nobody says which one is the own',
      { accounts: [{ account: '111122223333' }] },
      /111122223333 has no viewerRoleArn.*env does not name the stack's own account/,
    ],
    [
      'one role for who looks and who changes, as it once was',
      { accounts: [{ account: '444455556666', roleArn: 'arn:aws:iam::444455556666:role/sync' }] },
      /one role would read and change: write viewerRoleArn .* and operatorRoleArn/,
    ],
    [
      'one role under both names',
      {
        accounts: [
          {
            account: '444455556666',
            viewerRoleArn: 'arn:aws:iam::444455556666:role/sync',
            operatorRoleArn: 'arn:aws:iam::444455556666:role/sync',
          },
        ],
      },
      /the role that reads must not be the role that changes/,
    ],
    [
      'an audit log of a cluster elsewhere',
      { env: everything.env, regions: ['eu-central-1'], auditLogs: ['prod-1'] },
      /are of the stack's own region eu-west-1, which is not among regions/,
    ],
    ['more audit logs than are subscribed to', { auditLogs: many('c', 101) }, /auditLogs/],
    ['an external id with a blank', { externalId: 'a b' }, /is an external id of STS/],
    ['an organization that is none', { organizationId: 'acme' }, /is the id of an organization/],
    [
      'an organization of which nobody knows which it is',
      { organization: ofOrganization.organization },
      /needs organizationId: accounts that are found may send events/,
    ],
    [
      'all accounts by saying nothing',
      { ...ofOrganization, organization: {} },
      /says neither units nor tag: give the root/,
    ],
    [
      'units of two organizations',
      { ...ofOrganization, organization: { units: ['ou-ab12-34cd56ef', 'r-zz99'] } },
      /are of 2 organizations \(ab12, zz99\)/,
    ],
    [
      'a unit that is an account',
      { ...ofOrganization, organization: { units: ['222233334444'] } },
      /is the id of a unit or root, ou-ab12-34cd56ef or r-ab12/,
    ],
    [
      'more units than are asked for',
      { ...ofOrganization, organization: { units: many('ou-ab12-', 101) } },
      /<=100 items/,
    ],
    [
      'an account that is in the fleet and left out of it',
      {
        ...ofOrganization,
        env: everything.env,
        accounts: [{ account: '444455556666' }],
        organization: { tag: { key: 'eks' }, leaveOut: ['444455556666'] },
      },
      /leaveOut.*has 444455556666, which stands in accounts|has 444455556666, which stands in accounts/,
    ],
    [
      'a role of another account than its entry',
      { accounts: [{ account: '444455556666', viewerRoleArn: 'arn:aws:iam::777788889999:role/sync' }] },
      /the role arn:aws:iam::777788889999:role\/sync is of account 777788889999, not of 444455556666/,
    ],
    [
      'an account that stands there twice',
      { env: everything.env, accounts: [...everything.accounts, { account: '111122223333' }] },
      /111122223333 stands there twice/,
    ],
    ['a region that stands there twice', { regions: ['eu-west-1', 'eu-west-1'] }, /name each region once/],
    ['a cluster that stands there twice', { clusters: ['a', 'a'] }, /name each cluster once/],
    [
      'clusters of a region that is not looked at',
      { env: everything.env, clusters: ['a'], regions: ['eu-north-1'] },
      /are of the stack's own region eu-west-1, which is not among regions/,
    ],
    [
      'clusters of an account that is not looked at',
      { env: everything.env, clusters: ['a'], accounts: everything.accounts.slice(1) },
      /are of the stack's own account 111122223333, which is not among accounts/,
    ],
    ['a retention that CloudWatch does not know', { logRetentionDays: 42 }, /logRetentionDays/],
    ...['prod-1', 'prod-*', 'arn:aws:eks:eu-west-1:111122223333:cluster/prod', '111122223333/eu-west-1'].map(
      (cluster): [string, object, RegExp] => [
        `an exception for ${cluster}, which fits no cluster`,
        { policy: { exceptions: [{ cluster, until: '2099-01-01', reason: 'x' }] } },
        /matches no cluster: give it as ACCOUNT\/REGION\/NAME/,
      ],
    ),
    [
      'an exception for an account that is none of the fleet',
      {
        env: everything.env,
        policy: { exceptions: [{ cluster: '999988887777/*', until: '2099-01-01', reason: 'x' }] },
      },
      /999988887777 is no account of the fleet/,
    ],
    [
      'an exception for a region that is none of the fleet',
      {
        env: everything.env,
        policy: {
          exceptions: [
            { cluster: '*/eu-north-1/a', until: '2099-01-01', reason: 'x' },
            { cluster: '111122223333/eu-north-1/a', until: '2099-01-01', reason: 'x' },
          ],
        },
      },
      /eu-north-1 is no region of the fleet/,
    ],
    ...['user/x', 'root', 'role/*'].map((end): [string, object, RegExp] => [
      `${end} for a role`,
      { accounts: [{ account: '444455556666', viewerRoleArn: `arn:aws:iam::444455556666:${end}` }] },
      /is the ARN of one role/,
    ]),
    ['regions of two partitions', { regions: ['eu-west-1', 'cn-north-1'] }, /each partition needs its own deployment/],
    [
      'a role of another partition',
      {
        regions: ['eu-west-1'],
        accounts: [{ account: '444455556666', viewerRoleArn: 'arn:aws-cn:iam::444455556666:role/x' }],
      },
      /the role is of aws-cn, the regions of aws/,
    ],
    ...['0%', '-5%', '101%'].map((maxUnavailable): [string, object, RegExp] => [
      `a budget of ${maxUnavailable}`,
      { policy: { maxUnavailable } },
      /maxUnavailable/,
    ]),
    [
      'a sweep that is late before the next',
      { sweep: { everyMinutes: 5, withinMinutes: 30 } },
      /more than everyMinutes/,
    ],
    [
      'a reservation below the concurrency',
      { concurrency: { evaluate: 10 }, reservedConcurrency: { evaluate: 2 } },
      /less than concurrency\.evaluate, which is 10/,
    ],
    [
      'an alarm topic of another region',
      { env: everything.env, alarmTopicArn: 'arn:aws:sns:us-east-1:111122223333:pager' },
      /is of us-east-1, and the stack is in eu-west-1/,
    ],
    ...[
      { kmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:alias/mine' },
      { secretKmsKeyArn: 'arn:aws:kms:eu-west-1:111122223333:alias/mine' },
      { alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:' },
      { slackWebhookSecretArn: 'arn:aws:secretsmanager:' },
    ].map((it): [string, object, RegExp] => [`an incomplete ARN ${JSON.stringify(it)}`, it, /is no ARN of a/]),
    ...[
      ['cn-north-1', 'aws', 'aws-cn'],
      ['us-gov-west-1', 'aws', 'aws-us-gov'],
      ['eusc-de-east-1', 'aws', 'aws-eusc'],
      ['us-iso-east-1', 'aws-iso-b', 'aws-iso'],
      ['eu-west-1', 'aws-cn', 'aws'],
    ].map(([region, other, own]): [string, object, RegExp] => [
      `a topic of ${other} in ${region}`,
      { env: { account: '111122223333', region }, alarmTopicArn: `arn:${other}:sns:${region}:111122223333:pager` },
      new RegExp(`begins with arn:${other}, and in ${region} ARNs begin with arn:${own}`),
    ]),
    [
      'an alarm to be heeded in another partition',
      {
        env: everything.env,
        policy: { pauseOnAlarms: ['arn:aws-cn:cloudwatch:cn-north-1:111122223333:alarm:errors'] },
      },
      /credentials of eu-west-1 are not valid there/,
    ],
    ...(['list-clusters', 'tell', 'notify-slack'] as const).map((name): [string, object, RegExp] => [
      `a reservation of ${name} below what reads its queue`,
      { reservedConcurrency: { [name]: 1 } },
      /is less than 2/,
    ]),
    ['a reservation for no function', { reservedConcurrency: { evaluation: 1 } }, /reservedConcurrency/],
  ])('with %s is refused by name', (_, value, message) => expect(() => parseConfig(value)).toThrow(message))
})
