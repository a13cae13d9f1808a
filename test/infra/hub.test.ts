import { describe, expect, test } from '@jest/globals'
import { type EventPattern, matchesPattern } from '../../lab/aws/event-pattern.ts'
import { account, deployment, everything, labelled, region } from './deployment.ts'

const { env } = everything
const busRules = (stack: ReturnType<typeof deployment>) =>
  stack.ofType('AWS::Events::Rule').filter(({ properties }) => properties['EventBusName'] !== undefined)
const ownRules = (stack: ReturnType<typeof deployment>) =>
  stack.ofType('AWS::Events::Rule').filter(({ properties }) => properties['EventBusName'] === undefined)
const policyOf = (stack: ReturnType<typeof deployment>) =>
  stack.ofType('AWS::Events::EventBusPolicy')[0]?.properties['Statement']

describe('a fleet of the own account and region', () => {
  test.each([
    ['nothing configured', {}],
    ['the region named and no account', { regions: ['eu-west-1'] }],
    ['both named', { env, regions: [region], accounts: [{ account }] }],
  ])('with %s hears itself and has no bus for others', (_, config) => {
    const stack = deployment(config)
    expect(stack.ofType('AWS::Events::EventBus')).toEqual([])
    expect(ownRules(stack)).toHaveLength(4)
    expect(busRules(stack)).toEqual([])
  })
})

describe('a hub', () => {
  test.each([
    ['another account', { env, accounts: [{ account }, { account: '444455556666' }] }],
    ['another region', { env, regions: [region, 'us-east-1'] }],
    ['an organization', { env, organizationId: 'o-a1b2c3d4e5' }],
  ])('with %s has a bus, and hears on it what it hears of itself', (_, config) => {
    const stack = deployment(config)
    const bus = labelled(stack, 'AWS::Events::EventBus', 'Bus')
    expect(bus.name).toBe('calico-ipvs-sync')
    const heard = busRules(stack).map(({ properties }) => properties['EventPattern'])
    expect(heard).toEqual(ownRules(stack).map(({ properties }) => properties['EventPattern']))
    const onEvent = labelled(stack, 'AWS::Lambda::Function', 'OnEvent')
    for (const { properties } of busRules(stack)) expect(properties['Targets']).toMatchObject([{ Arn: onEvent.arn }])
  })

  test('whose own region is not of the fleet has no rules that would deny every event there', () => {
    const stack = deployment({ env, regions: ['us-east-1'] })
    expect(ownRules(stack)).toEqual([])
    expect(busRules(stack)).toHaveLength(4)
  })

  test('whose own account has other regions than the fleet has none either', () => {
    const stack = deployment({ env, accounts: [{ account, regions: ['us-east-1'] }] })
    expect(ownRules(stack)).toEqual([])
  })

  test('lets in the accounts of the fleet one by one, itself left out', () => {
    const stack = deployment({ env, accounts: [{ account }, { account: '444455556666' }, { account: '555566667777' }] })
    expect(policyOf(stack)).toEqual({
      Sid: 'Spokes',
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Principal: { AWS: ['arn:aws:iam::444455556666:root', 'arn:aws:iam::555566667777:root'] },
      Resource: labelled(stack, 'AWS::Events::EventBus', 'Bus').arn,
    })
  })

  test('lets in the organization alone where one is configured', () => {
    expect(policyOf(deployment({ env, organizationId: 'o-a1b2c3d4e5' }))).toMatchObject({
      Principal: '*',
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
    })
  })

  test('of other regions of its own account lets in nobody else', () =>
    expect(policyOf(deployment({ env, regions: [region, 'us-east-1'] }))).toBeUndefined())

  test('hears no event that a sender has made up: the sources are AWS alone', () => {
    const made = { source: 'my.eks', 'detail-type': 'AWS API Call via CloudTrail', detail: {} }
    for (const { properties } of busRules(deployment(everything))) {
      expect(
        (properties['EventPattern'] as { source: string[] }).source.filter((it) => !it.startsWith('aws.')),
      ).toEqual([])
      expect(matchesPattern(properties['EventPattern'] as EventPattern, made)).toBe(false)
    }
  })
})

test('more accounts than a bus can list are refused without an organization, and the sentence names that knob', () => {
  const accounts = Array.from({ length: 400 }, (_, index) => ({ account: String(300_000_000_000 + index) }))
  expect(() => deployment({ env, accounts })).toThrow(/event bus would have .* `organizationId`/)
  expect(() => deployment({ env, accounts, organizationId: 'o-a1b2c3d4e5' })).not.toThrow()
})

test('a stack name that would not fit into the names of roles is refused', () =>
  expect(() => deployment({ stackName: 'x'.repeat(36) })).toThrow(/Invalid roleName.*64 characters/))
