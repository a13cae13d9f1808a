import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { Stack, Validations } from 'aws-cdk-lib'
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include'
import { flaggedApp } from '../../infra/app.ts'
import { spokeTemplate } from '../../shared/domain/spoke/template.ts'
import { account, actionsOf, deployment, everything, list, region, type Statement } from './deployment.ts'
import { hub, spoke } from './spoke.ts'

const other = '444455556666'
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-spoke-'))
afterAll(() => rmSync(folder, { recursive: true }))

const types = ({ resources }: ReturnType<typeof spoke>) => resources.map(({ logicalId }) => logicalId).toSorted()
const rules = ['AddonEvents', 'ClusterCalls', 'ConfigurationItems', 'HealthEvents']
const forwarding = ['ForwarderRole', 'Undelivered', 'UndeliveredPolicy', ...rules]

interface RoleProperties {
  RoleName: string
  AssumeRolePolicyDocument: { Statement: { Principal: { AWS: string }; Condition: object }[] }
  Policies: { PolicyDocument: { Statement: Statement[] } }[]
}
const role = (it: ReturnType<typeof spoke>, logicalId: string): RoleProperties => {
  const found = it.resources.find((one) => one.logicalId === logicalId)
  if (!found) throw new Error(`no ${logicalId}`)
  return found.properties as unknown as RoleProperties
}
const actions = ({ Policies }: RoleProperties) =>
  Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action)).toSorted()

describe('what the template makes', () => {
  test.each([
    ['another account, in the region of the roles', other, region, [...forwarding, 'OperatorRole', 'ViewerRole']],
    ['another account, in another region', other, 'us-east-1', forwarding],
    ["another region of the hub's account", account, 'us-east-1', forwarding],
    ["the hub's own place", account, region, []],
  ])('%s', (_, where, at, made) => {
    expect(types(spoke({ account: where, region: at }))).toEqual(made.toSorted())
  })

  test('without changes there is no role that could change anything', () => {
    expect(types(spoke({ account: other, region }, { ...hub, changes: false }))).toEqual(
      [...forwarding, 'ViewerRole'].toSorted(),
    )
  })

  test('nothing that must be uploaded: every resource is a role, a rule or the queue of what could not be delivered', () => {
    const made = Object.values(spokeTemplate(hub).Resources).map(({ Type }) => Type)
    expect(new Set(made)).toEqual(
      new Set(['AWS::IAM::Role', 'AWS::Events::Rule', 'AWS::SQS::Queue', 'AWS::SQS::QueuePolicy']),
    )
  })
})

test.each<[string, Record<string, string>, object, string]>([
  ['no key', {}, { SqsManagedSseEnabled: true }, 'KmsMasterKeyId'],
  ['an alias', { QueueKey: 'alias/spokes' }, { KmsMasterKeyId: 'alias/spokes' }, 'SqsManagedSseEnabled'],
])('with %s the queue is encrypted by one key', (_, parameters, has, without) => {
  const [queue] = spoke({ account: other, region }, hub, parameters).ofType('AWS::SQS::Queue')
  expect(queue?.properties).toMatchObject(has)
  expect(queue?.properties).not.toHaveProperty(without)
})

test.each(['', 'alias/spokes', `arn:aws:kms:${region}:${other}:key/0a1b2c3d-0000-1111-2222-333344445555`])(
  'a key of the queue may be given as %p',
  (key) => expect(key).toMatch(new RegExp(spokeTemplate(hub).Parameters.QueueKey.AllowedPattern)),
)

describe('a role of a spoke', () => {
  const it = spoke({ account: other, region })

  test.each([
    ['ViewerRole', 'calico-ipvs-sync-viewer', ['evaluate', 'list-clusters']],
    ['OperatorRole', 'calico-ipvs-sync-operator', ['rollout-step']],
  ])('%s is taken by exactly the functions of its kind, with the external id', (logicalId, name, functions) => {
    const { RoleName, AssumeRolePolicyDocument } = role(it, logicalId)
    expect(RoleName).toBe(name)
    const arns = functions.map((one) => `arn:aws:iam::${account}:role/calico-ipvs-sync-${one}`)
    expect(AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { AWS: `arn:aws:iam::${account}:root` },
        Condition: {
          ArnEquals: { 'aws:PrincipalArn': expect.arrayContaining(arns) },
          StringEquals: { 'sts:ExternalId': 'of-the-hub' },
        },
      },
    ])
    const [{ Condition } = { Condition: {} }] = AssumeRolePolicyDocument.Statement
    expect((Condition as { ArnEquals: Record<string, string[]> }).ArnEquals['aws:PrincipalArn']).toHaveLength(
      functions.length,
    )
  })

  test.each([
    ['ViewerRole', ['EvaluateRole', 'ListClustersRole']],
    ['OperatorRole', ['RolloutStepRole']],
  ])('%s may ask EKS exactly what those functions may in the own account', (logicalId, functions) => {
    const own = deployment({ env: everything.env })
    const asked = new Set(functions.flatMap((name) => actionsOf(own, name).filter((one) => one.startsWith('eks:'))))
    expect(actions(role(it, logicalId))).toEqual([...asked].toSorted())
  })

  test('may change nothing in AWS, and of add-ons sees kube-proxy alone', () => {
    for (const logicalId of ['ViewerRole', 'OperatorRole']) {
      const statements = role(it, logicalId).Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
      for (const { Action, Resource } of statements) {
        for (const action of list(Action)) expect(action).toMatch(/^eks:(Describe|List)[A-Z]\w+$/)
        for (const resource of list(Resource))
          expect(['*', `arn:aws:eks:*:${other}:cluster/*`, `arn:aws:eks:*:${other}:addon/*/kube-proxy/*`]).toContain(
            resource,
          )
        if (list(Resource).includes('*')) expect(Action).toBe('eks:ListClusters')
      }
    }
  })

  test('of a hub with another name has that name, and so have the roles it trusts', () => {
    const trial = spoke({ account: other, region }, { ...hub, deployment: 'calico-ipvs-sync-Trial' })
    const { RoleName, AssumeRolePolicyDocument } = role(trial, 'OperatorRole')
    expect(RoleName).toBe('calico-ipvs-sync-Trial-operator')
    expect(JSON.stringify(AssumeRolePolicyDocument)).toContain(`${account}:role/calico-ipvs-sync-Trial-rollout-step`)
  })
})

describe('hub and spoke mean the same', () => {
  const stack = deployment(everything)
  const bus = stack.ofType('AWS::Events::EventBus')[0]

  test('bus: every rule of a spoke leads to it, by a role that may do nothing else', () => {
    const it = spoke({ account: other, region: 'us-east-1' })
    const made = it.ofType('AWS::Events::Rule')
    expect(made).toHaveLength(rules.length)
    const forwarder = it.resources.find(({ logicalId }) => logicalId === 'ForwarderRole')
    for (const { properties } of made)
      expect(properties['Targets']).toMatchObject([{ Arn: bus?.arn, RoleArn: forwarder?.arn }])
    expect(actions(role(it, 'ForwarderRole'))).toEqual(['events:PutEvents'])
    expect(role(it, 'ForwarderRole').Policies[0]?.PolicyDocument.Statement[0]?.Resource).toBe(bus?.arn)
  })

  test('what cannot be delivered: every rule of a spoke leaves it in the one queue, into which rules of that place alone may send', () => {
    const it = spoke({ account: other, region: 'us-east-1' })
    const [queue] = it.ofType('AWS::SQS::Queue')
    for (const { properties } of it.ofType('AWS::Events::Rule'))
      expect(properties['Targets']).toMatchObject([{ DeadLetterConfig: { Arn: queue?.arn } }])
    expect(it.ofType('AWS::SQS::QueuePolicy')[0]?.properties).toMatchObject({
      Queues: [queue?.ref],
      PolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Resource: queue?.arn,
            Condition: {
              ArnLike: { 'aws:SourceArn': `arn:aws:events:us-east-1:${other}:rule/*` },
              StringEquals: { 'aws:SourceAccount': other },
            },
          },
          { Effect: 'Deny', Principal: '*', Action: 'sqs:*', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        ],
      },
    })
  })

  test('events: the rules have the very patterns of the hub', () => {
    const patternsOf = (one: ReturnType<typeof spoke>) =>
      one.ofType('AWS::Events::Rule').map(({ properties }) => properties['EventPattern'])
    const forwarded = patternsOf(spoke({ account: other, region }))
    // The hub hears each on two buses.
    expect(patternsOf(stack)).toHaveLength(2 * forwarded.length)
    for (const pattern of patternsOf(stack)) expect(forwarded).toContainEqual(pattern)
  })

  test('roles: what a spoke trusts is what the hub calls its functions', () => {
    const names = stack
      .ofType('AWS::IAM::Role')
      .flatMap(({ properties }) => (properties['RoleName'] as string | undefined) ?? [])
    expect(names.toSorted()).toEqual([
      'calico-ipvs-sync-evaluate',
      'calico-ipvs-sync-list-clusters',
      'calico-ipvs-sync-rollout-step',
    ])
  })

  test('the outputs say all that a spoke must know', () => {
    expect(stack.outputs).toMatchObject({
      BusArn: `arn:aws:events:${region}:${account}:event-bus/calico-ipvs-sync`,
      ExternalId: `calico-ipvs-sync-${account}`,
      ListRoleArn: `arn:aws:iam::${account}:role/calico-ipvs-sync-list-clusters`,
      ViewerRoleArn: `arn:aws:iam::${account}:role/calico-ipvs-sync-evaluate`,
      OperatorRoleArn: `arn:aws:iam::${account}:role/calico-ipvs-sync-rollout-step`,
      SpokeCommand: `calico-ipvs-sync spoke-template --hub-account ${account} --hub-region ${region} --external-id calico-ipvs-sync-${account}`,
    })
  })
})

test('the template passes cdk-nag: patterns of resources are accepted with their reason, and nothing else is found', () => {
  const file = join(folder, 'spoke.json')
  writeFileSync(file, JSON.stringify(spokeTemplate(hub)))
  const app = flaggedApp({ outdir: join(folder, 'nag'), rules: false })
  const stack = new Stack(app, 'Spoke')
  const included = new CfnInclude(stack, 'Spoke', { templateFile: file })
  expect(() => app.synth()).toThrow(/AwsSolutions-IAM5/)
  const because = 'A sweep discovers clusters; the actions only read.'
  for (const logicalId of ['ViewerRole', 'OperatorRole']) {
    const patterns = ['cluster/*', 'addon/*/kube-proxy/*'].map(
      (rest) => `arn:<AWS::Partition>:eks:*:<AWS::AccountId>:${rest}`,
    )
    for (const shown of [...patterns, ...patterns.map((it) => it.replaceAll(/<([^>]+)>/g, '${$1}')), '*'])
      Validations.of(included.getResource(logicalId)).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${shown}]`,
        reason: because,
      })
  }
  Validations.of(included.getResource('Undelivered')).acknowledge({
    id: 'AwsSolutions-SQS3',
    reason: 'This queue is itself a dead-letter queue.',
  })
  expect(() => app.synth({ force: true })).not.toThrow()
})
