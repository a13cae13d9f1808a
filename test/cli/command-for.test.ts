import { describe, expect, test } from '@jest/globals'
import { type PolicyOptions, policyOf } from '../../cli/options.ts'
import { asPlanned } from '../../cli/sync/rollout.ts'
import { commandFor } from '../../cli/target/command-for.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { parsed } from '../commands/printed.ts'

const target = { place: { cluster: { name: 'prod', context: 'prod' } } }
const given: PolicyOptions = {
  strategy: 'canary',
  maxUnavailable: '5%',
  restarts: 'always',
  canarySeconds: 60,
  settleSeconds: 50,
  nodeDeadline: 600,
  ignoreOwner: true,
}
const optionsOf = (command: string): PolicyOptions => parsed(command.split(' ').slice(1)).options

describe('a printed command that makes a plan', () => {
  test.each(['plan', 'sync'])('%s makes the one that was asked for', (command) => {
    expect(policyOf(optionsOf(commandFor(command, target, given)))).toEqual(policyOf(given))
  })

  test('says nothing of what is so anyway, and no other command is given settings that it does not have', () => {
    const usual = { ...defaultPolicy, nodeDeadline: defaultPolicy.nodeDeadlineSeconds }
    expect(commandFor('sync', target, usual)).toBe('calico-ipvs-sync sync --context prod')
    for (const command of ['check', 'rollout status', 'rollout abort'])
      expect(commandFor(command, target, given)).toBe(`calico-ipvs-sync ${command} --context prod`)
  })

  test('continues what a plan file began with its settings, without the file, which would be refused', () => {
    const policy = policyOf(given)
    const again = commandFor('sync', target, asPlanned({ options: { output: 'text', plan: 'plan.json' }, policy }))
    expect(again).not.toContain('plan.json')
    expect(policyOf(optionsOf(again))).toEqual(policy)
  })
})
