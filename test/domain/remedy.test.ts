import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed } from '../../shared/domain/read.ts'
import { cluster } from './ingredients.ts'

const page = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')
const worlds = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => line.split('|')[1]?.trim() ?? '')

const remedies = (state: ClusterState): string[] =>
  assess(state, defaultPolicy).report.findings.flatMap(({ remedy }) => remedy ?? [])

const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const command = /(?<![\w./-])(?:kubectl|calico-ipvs-sync)(?= [a-z-])[^\n]{0,120}/g

/** Every command in every remedy of every world of the page. */
const commands = (over: Partial<ClusterState>): string[] =>
  worlds.flatMap((given) => remedies({ ...cluster(given), ...over }).flatMap((it) => it.match(command) ?? []))

describe('a command that is printed leads to the cluster that it speaks of', () => {
  test('by the context and the kubeconfig that led there', () => {
    const all = commands({ cluster: { name: 'prod', context: 'prod-1' }, reachedBy: { kubeconfig: 'other.yaml' } })
    expect(all.length).toBeGreaterThan(100)
    const lost = all.filter((it) => !(it.includes('--context prod-1') && it.includes('--kubeconfig other.yaml')))
    expect(lost).toEqual([])
  })

  test('by name, region and role, and by the ARN for kubectl', () => {
    const roleArn = 'arn:aws:iam::111122223333:role/Admin'
    const place = { cluster: { name: 'prod', arn, region: 'eu-west-1' }, reachedBy: { role: roleArn } }
    const ways = { kubectl: `kubectl --context ${arn} `, own: `--cluster prod --region eu-west-1 --role ${roleArn}` }
    const lost = commands(place).filter((it) => !it.includes(ways.kubectl) && !it.includes(ways.own))
    expect(lost).toEqual([])
  })

  test('from inside a pod without a context, which there is none of', () => {
    const all = commands({ cluster: { name: 'in-cluster' }, reachedBy: { inCluster: true } })
    expect(all.filter((it) => /--(?:context|cluster)/.test(it))).toEqual([])
  })

  test.each([
    ['given', 'flag', '--service-node-port-range 20000-22767'],
    ['asked for', 'probe', '--probe'],
  ] as const)('with the range as it was %s', (_, source, option) => {
    const state = { ...cluster('no eks'), givenServiceRange: { min: 20000, max: 22767, source } }
    const [differs] = remedies(state).filter((it) => it.includes('node by node'))
    expect(differs).toContain(`calico-ipvs-sync sync --cluster blue --region eu-central-1 ${option}`)
    const denied = { ...state, rollout: failed<never>({ kind: 'denied', object: 'Lease', message: '403' }) }
    expect(remedies(denied).join('\n')).not.toMatch(/doctor.*(?:--probe|--service-node-port-range)/)
  })
})
