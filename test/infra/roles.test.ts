import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import {
  account,
  actionsOf,
  deployment,
  everything,
  labelled,
  ofOrganization,
  list,
  type Statement,
  statementsOf,
} from './deployment.ts'

const own = deployment({
  env: everything.env,
  slackWebhookSecretArn: everything.slackWebhookSecretArn,
  configRule: true,
  auditLogs: ['prod-1'],
})
const fleet = deployment(everything)

const logging = ['logs:CreateLogStream', 'logs:PutLogEvents']
const polling = ['sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage']
const clusterReading = ['eks:DescribeAddon', 'eks:DescribeCluster', 'eks:DescribeUpdate', 'eks:ListUpdates']
const working = [...clusterReading, ...logging, ...polling, 'sqs:SendMessage', 'ssm:GetParameter']
const remembering = ['dynamodb:GetItem', 'dynamodb:PutItem']
const fleetReading = ['dynamodb:GetItem', 'dynamodb:Query']
const answering = ['config:GetComplianceDetailsByConfigRule', 'config:PutEvaluations']
const gathering = ['dynamodb:DeleteItem', 'dynamodb:Query']
const telling = ['kms:Decrypt', 'kms:GenerateDataKey', 'sns:Publish']

describe('what each function may do', () => {
  test.each([
    ['OnEventRole', [...logging, ...remembering, 'sqs:SendMessage']],
    ['OnAuditLogRole', [...logging, ...remembering, 'sqs:SendMessage']],
    ['SweepRole', [...logging, 'sqs:SendMessage']],
    [
      'ListClustersRole',
      ['eks:ListClusters', ...logging, ...polling, ...remembering, 'dynamodb:Query', 'sqs:SendMessage'],
    ],
    ['EvaluateRole', [...working, ...remembering]],
    ['RolloutStepRole', [...working, 'dynamodb:PutItem']],
    [
      'TellRole',
      [...logging, ...polling, 'sqs:SendMessage', 'sqs:SendMessage', ...remembering, ...gathering, ...telling],
    ],
    ['NotifySlackRole', [...logging, 'secretsmanager:GetSecretValue', ...polling, 'sqs:SendMessage']],
    ['FleetReportRole', [...logging, ...fleetReading, 'dynamodb:Query', 's3:PutObject', 'sqs:SendMessage']],
    ['ConfigRuleRole', [...logging, ...fleetReading, ...answering, 'sqs:SendMessage']],
    ['ScheduleRole', ['lambda:InvokeFunction', 'sqs:SendMessage']],
    ['FleetReportScheduleRole', ['lambda:InvokeFunction', 'sqs:SendMessage']],
  ])('%s: exactly what it calls', (role, actions) => expect(actionsOf(own, role)).toEqual(actions.toSorted()))

  test('alarms are read by who looks and who changes where some are heeded, and there alone', () => {
    const arn = 'arn:aws:cloudwatch:us-east-1:111122223333:alarm:checkout'
    const heeding = deployment({ env: everything.env, policy: { pauseOnAlarms: ['errors', arn] } })
    for (const role of ['EvaluateRole', 'RolloutStepRole']) {
      const [alarms] = statementsOf(heeding, role).filter(({ Action }) => Action === 'cloudwatch:DescribeAlarms')
      expect(alarms?.Condition).toEqual({ StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1'] } })
    }
    for (const role of ['OnEventRole', 'SweepRole'])
      expect(actionsOf(heeding, role)).not.toContain('cloudwatch:DescribeAlarms')
  })

  test('no action is a pattern, and no role has a managed policy', () => {
    for (const stack of [own, fleet]) {
      for (const { properties } of stack.ofType('AWS::IAM::Role'))
        expect(properties).not.toHaveProperty('ManagedPolicyArns')
      const policies = stack.ofType('AWS::IAM::Policy').map(({ properties }) => properties['PolicyDocument'])
      const actions = policies.flatMap((it) =>
        (it as { Statement: Statement[] }).Statement.flatMap(({ Action }) => Action),
      )
      expect(actions.filter((action) => action.includes('*'))).toEqual([])
    }
  })

  test('resources are patterns only where clusters cannot be known beforehand', () => {
    const broad = [
      'OnEventRole',
      'SweepRole',
      'ListClustersRole',
      'EvaluateRole',
      'RolloutStepRole',
      'TellRole',
      'NotifySlackRole',
      'ScheduleRole',
    ]
      .flatMap((role) => statementsOf(own, role))
      .filter(({ Resource }) => list(Resource).some((resource) => resource.replace(/log-group:.*/, '').includes('*')))
    const resources = new Set(broad.flatMap(({ Resource }) => Resource))
    expect([...resources].toSorted()).toEqual([
      '*',
      `arn:aws:eks:eu-west-1:${account}:addon/*/kube-proxy/*`,
      `arn:aws:eks:eu-west-1:${account}:cluster/*`,
    ])
    expect(broad.filter(({ Resource }) => Resource === '*')).toEqual([
      {
        Effect: 'Allow',
        Action: 'eks:ListClusters',
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } },
      },
    ])
  })

  test('the report is written under its own prefix, and lists are read by the index of last reports alone; the report also reads the places', () => {
    const [put] = statementsOf(own, 'FleetReportRole').filter(({ Action }) => Action === 's3:PutObject')
    expect(put?.Resource).toBe(`${labelled(own, 'AWS::S3::Bucket', 'Reports').arn}/reports/*`)
    const { arn } = labelled(own, 'AWS::DynamoDB::Table', 'Records')
    const places = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['places'] } }
    for (const [role, ...more] of [['FleetReportRole', [arn, places]], ['ConfigRuleRole']] as const) {
      const queries = statementsOf(own, role).filter(({ Action }) => Action === 'dynamodb:Query')
      expect(queries.map(({ Resource, Condition }) => [Resource, Condition])).toEqual([
        [`${arn}/index/latest`, undefined],
        ...more,
      ])
    }
  })

  test('network interfaces are for Lambda alone: the code of a function in a VPC may not touch those of anybody', () => {
    for (const role of ['EvaluateRole', 'RolloutStepRole']) {
      const [denied, ...more] = statementsOf(fleet, role).filter(({ Effect }) => Effect === 'Deny')
      expect(denied).toMatchObject({
        Resource: '*',
        Condition: { ArnLike: { 'lambda:SourceFunctionArn': `arn:aws:lambda:eu-west-1:${account}:function:*` } },
      })
      expect(new Set(denied?.Action)).toEqual(
        new Set(actionsOf(fleet, role).filter((action) => action.startsWith('ec2:'))),
      )
      expect(more).toEqual([])
    }
  })

  test('without the rule of AWS Config there is no role for it', () => {
    const without = deployment({ env: everything.env })
    expect(without.ofType('AWS::IAM::Role').filter(({ name }) => name.includes('ConfigRule'))).toEqual([])
    expect(without.ofType('AWS::Config::ConfigRule')).toEqual([])
  })

  test('a fleet of several regions is described there and nowhere else', () => {
    const [clusters] = statementsOf(fleet, 'EvaluateRole').filter(({ Action }) => Action === 'eks:DescribeCluster')
    const wanted = everything.regions.map((region) => `arn:aws:eks:${region}:${account}:cluster/*`)
    expect(list(clusters?.Resource ?? []).toSorted()).toEqual(wanted.toSorted())
  })

  test('other accounts are entered by exactly the roles of the configuration', () => {
    const assumedBy = (role: string) =>
      statementsOf(fleet, role).flatMap(({ Action, Resource }) => (Action === 'sts:AssumeRole' ? Resource : []))
    const [, both, onlyViewer] = everything.accounts
    const fixed = 'arn:aws:iam::666677778888:role/calico-ipvs-sync'
    for (const role of ['ListClustersRole', 'EvaluateRole'])
      expect(assumedBy(role)).toEqual([both?.viewerRoleArn, onlyViewer?.viewerRoleArn, `${fixed}-viewer`])
    expect(assumedBy('RolloutStepRole')).toEqual([both?.operatorRoleArn, `${fixed}-operator`])
    expect(actionsOf(own, 'EvaluateRole')).not.toContain('sts:AssumeRole')
  })

  describe('accounts of an organization', () => {
    const found = deployment({ ...everything, ...ofOrganization })
    const allowed = (role: string, service: RegExp, stack = found) =>
      statementsOf(stack, role).filter(({ Action }) => list(Action).some((action) => service.test(action)))

    test('are listed by the sweep alone, in that organization, unit by unit and tag by tag', () => {
      const of = (rest: string) => `arn:aws:organizations::*:${rest}`
      expect(allowed('SweepRole', /^organizations:/)).toEqual([
        {
          Effect: 'Allow',
          Action: ['organizations:ListAccountsForParent', 'organizations:ListOrganizationalUnitsForParent'],
          Resource: [of('ou/o-a1b2c3d4e5/ou-ab12-*'), of('root/o-a1b2c3d4e5/r-ab12')],
        },
        {
          Effect: 'Allow',
          Action: 'organizations:ListTagsForResource',
          Resource: of('account/o-a1b2c3d4e5/*'),
        },
      ])
      for (const role of ['OnEventRole', 'ListClustersRole', 'EvaluateRole', 'RolloutStepRole'])
        expect(allowed(role, /^organizations:/)).toEqual([])
      expect(allowed('SweepRole', /^organizations:/, fleet)).toEqual([])
    })

    test('are recorded by the sweep under one key of the table', () => {
      const [record, ...more] = allowed('SweepRole', /^dynamodb:/)
      expect(more).toEqual([])
      expect(record).toMatchObject({
        Action: remembering,
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['organization'] } },
      })
    })

    test('need from the management account what docs/fleet.md lets them have, and nothing else', () => {
      const page = readFileSync(join(root, 'docs/fleet.md'), 'utf8')
      const [, text = '{}'] = /```json organizations-resource-policy\n([^]*?)```/.exec(page) ?? []
      const policy = JSON.parse(text) as { Statement: { Action: string[] }[] }
      const asked = allowed('SweepRole', /^organizations:/).flatMap(({ Action }) => list(Action))
      expect(policy.Statement.flatMap(({ Action }) => Action).toSorted()).toEqual(asked.toSorted())
    })

    test('by a tag alone are listed all, and their tags', () => {
      const byTag = deployment({ ...everything, ...ofOrganization, organization: { tag: { key: 'eks' } } })
      const actions = actionsOf(byTag, 'SweepRole').filter((action) => action.startsWith('organizations:'))
      expect(actions).toEqual(['organizations:ListAccounts', 'organizations:ListTagsForResource'])
    })

    test('are entered by the fixed name in that organization, those of the configuration by exactly its roles', () => {
      const [, both] = everything.accounts
      const [byName, found_] = allowed('RolloutStepRole', /^sts:/)
      expect(byName?.Resource).toEqual([
        both?.operatorRoleArn,
        'arn:aws:iam::666677778888:role/calico-ipvs-sync-operator',
      ])
      expect(found_).toEqual({
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: 'arn:aws:iam::*:role/calico-ipvs-sync-operator',
        Condition: { StringEquals: { 'aws:ResourceOrgID': 'o-a1b2c3d4e5' } },
      })
      const viewers = ['EvaluateRole', 'ListClustersRole'].map((role) => allowed(role, /^sts:/)[1]?.Resource)
      expect(new Set(viewers)).toEqual(new Set(['arn:aws:iam::*:role/calico-ipvs-sync-viewer']))
    })

    test('that two sweeps cannot read are an alarm; without an organization there is none', () => {
      const alarms = (stack: typeof found) =>
        stack
          .ofType('AWS::CloudWatch::Alarm')
          .filter(({ properties }) => String(properties['AlarmDescription']).endsWith('#organization-unread'))
      expect(alarms(found)).toHaveLength(1)
      expect(alarms(fleet)).toHaveLength(0)
    })
  })

  test('more accounts than a policy can list are entered by one name, in the organization where it is known', () => {
    const accounts = Array.from({ length: 1_000 }, (_, index) => ({ account: String(300_000_000_000 + index) }))
    const many = deployment({ env: everything.env, accounts, organizationId: 'o-a1b2c3d4e5' })
    const assume = (role: string) => statementsOf(many, role).filter(({ Action }) => Action === 'sts:AssumeRole')
    expect(assume('RolloutStepRole')).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: 'arn:aws:iam::*:role/calico-ipvs-sync-operator',
        Condition: { StringEquals: { 'aws:ResourceOrgID': 'o-a1b2c3d4e5' } },
      },
    ])
    expect(assume('EvaluateRole')).toMatchObject([{ Resource: 'arn:aws:iam::*:role/calico-ipvs-sync-viewer' }])
  })

  test('an own account that is only reported is not described by who changes', () => {
    const viewerRoleArn = `arn:aws:iam::${account}:role/looks`
    const only = deployment({ env: everything.env, accounts: [{ account, viewerRoleArn }] })
    for (const role of ['ListClustersRole', 'EvaluateRole', 'RolloutStepRole'])
      expect(actionsOf(only, role).filter((action) => action.startsWith('eks:'))).toEqual([])
    expect(actionsOf(only, 'RolloutStepRole')).not.toContain('sts:AssumeRole')
    expect(actionsOf(only, 'EvaluateRole')).toContain('sts:AssumeRole')
  })

  test('with their own credentials the functions ask EKS only where their own account is in the fleet', () => {
    const hub = deployment({ env: everything.env, accounts: everything.accounts.slice(1) })
    for (const role of ['ListClustersRole', 'EvaluateRole', 'RolloutStepRole'])
      expect(actionsOf(hub, role).filter((action) => action.startsWith('eks:'))).toEqual([])
  })

  test('each role can be taken by one service only', () => {
    const services = own
      .ofType('AWS::IAM::Role')
      .map(({ properties }) => (properties['AssumeRolePolicyDocument'] as { Statement: object[] }).Statement)
    const named = services.flat().map((it) => (it as { Principal: { Service: string } }).Principal.Service)
    expect(named.toSorted()).toEqual([
      ...Array(10).fill('lambda.amazonaws.com'),
      ...Array(2).fill('scheduler.amazonaws.com'),
    ])
  })
})

describe('the way into clusters', () => {
  const commandOf = (stack: typeof fleet) => stack.outputs['GrantCommand']
  const arn = (stack: typeof fleet, role: string) => labelled(stack, 'AWS::IAM::Role', role).arn

  test('is made by nobody with the stack: one bad cluster would take all of it back', () => {
    expect([...own.ofType('AWS::EKS::AccessEntry'), ...fleet.ofType('AWS::EKS::AccessEntry')]).toEqual([])
  })

  test('is printed, complete: who looks and who changes are two roles, for the clusters that the configuration names', () => {
    const [viewer, operator] = ['EvaluateRole', 'RolloutStepRole'].map((role) => arn(fleet, role))
    expect(viewer).not.toBe(operator)
    expect(commandOf(fleet)).toBe(
      `calico-ipvs-sync grant --cluster prod-1 --cluster prod_2 --region ${everything.env.region} --viewer-role ${viewer} --operator-role ${operator}`,
    )
    expect(commandOf(own)).toContain('grant --cluster NAME --region')
  })

  test('can be printed for names that differ in a dash alone, and for more than a terminal shows', () => {
    const { env } = everything
    expect(commandOf(deployment({ env, clusters: ['a-b', 'ab'] }))).toContain('--cluster a-b --cluster ab ')
    const many = Array.from({ length: 1_000 }, (_, at) => `cluster-${at}`)
    expect(commandOf(deployment({ env, clusters: many }))).toContain('grant --cluster NAME --region')
  })
})
