import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import { type ClusterComparison, differences, endpointOf } from '../../shared/domain/identity.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { cluster } from './ingredients.ts'

const [ours, other, third] = ['aa', 'bb', 'cc'].map((it) => it.repeat(32)) as [string, string, string]
const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const at = 'abc.gr7.eu-west-1.eks.amazonaws.com:443'
const described = { arn, endpoint: at, authorities: [ours] }
type Connected = ClusterComparison['connected']

describe('what EKS describes is the cluster that is connected to', () => {
  test.each<[string, Connected]>([
    ['all is the same', { arn, endpoint: at, authorities: [ours] }],
    ['the kubeconfig claims no ARN', { endpoint: at, authorities: [ours] }],
    ['what it claims is in the ARN', { name: 'prod', account: '111122223333', region: 'eu-west-1' }],
    ['it is reached by another address, with its authority', { arn, endpoint: 'localhost:8443', authorities: [ours] }],
    ['at its address, beside an authority that is to follow', { arn, endpoint: at, authorities: [other, ours] }],
    ['nothing is verified, but the address is its own', { arn, endpoint: at, unverified: true }],
    ["the system's authorities verified its address", { arn, endpoint: at }],
    ['nobody can tell its address', { arn }],
  ])('%s', (_, connected) => expect(differences({ connected, described })).toEqual([]))

  test('EKS was not asked', () => expect(differences({ connected: { arn, endpoint: at } })).toEqual([]))
})

describe('it is another one', () => {
  test.each<[string, Connected, string[]]>([
    ['of another account', { arn: arn.replace('1111', '4444'), endpoint: at, authorities: [ours] }, ['ARN']],
    ['of another account, without an ARN', { account: '444455556666' }, ['account']],
    ['of another region', { name: 'prod', region: 'eu-west-2' }, ['region']],
    ['of another name', { name: 'prod2', endpoint: at, authorities: [ours] }, ['name']],
    ['at another address', { endpoint: 'def:443', authorities: [other] }, ['endpoint', 'certificate authority']],
    [
      'at its address, but another authority is believed',
      { endpoint: at, authorities: [other] },
      ['certificate authority'],
    ],
    [
      'at another address, where more than its authority is believed',
      { endpoint: 'def:443', authorities: [ours, third] },
      ['endpoint', 'certificate authority'],
    ],
    ['at another address, unverified', { endpoint: 'def:443', authorities: [ours], unverified: true }, ['endpoint']],
    ["at another address, by the system's authorities", { endpoint: 'def:443' }, ['endpoint']],
    [
      'at another address, and no authority at all',
      { endpoint: 'def:443', authorities: [] },
      ['endpoint', 'certificate authority'],
    ],
  ])('%s', (_, connected, marks) =>
    expect(differences({ connected, described }).map(({ mark }) => mark)).toEqual(marks),
  )

  test('that has no address yet: what is connected to is not it', () => {
    const creating = { connected: { arn, endpoint: at, authorities: [ours] }, described: { arn } }
    expect(differences(creating)).toMatchObject([
      { mark: 'endpoint', connected: at, described: 'none' },
      { mark: 'certificate authority', described: 'none' },
    ])
  })
})

test.each([
  ['https://ABC.gr7.eu-west-1.eks.amazonaws.com', at],
  ['https://abc.gr7.eu-west-1.eks.amazonaws.com.:443/', at],
  ['https://me:secret@abc.gr7.eu-west-1.eks.amazonaws.com', at],
  ['https://rancher.example/k8s/clusters/c-1/', 'rancher.example:443/k8s/clusters/c-1'],
  ['https://[::1]:6443', '[::1]:6443'],
  ['no address', 'no address'],
])('the address %s is %s', (server, endpoint) => expect(endpointOf(server)).toBe(endpoint))

test('of another cluster nothing is used, nothing is planned, and the finding names both', () => {
  const state = cluster('eks of another account, eks range 30000-34000, eks UPDATING, addon mode iptables')
  const assessment = assess(state, defaultPolicy)
  const { report } = assessment
  expect(report).toMatchObject({ verdict: 'unknown', serviceRange: { min: 30000, max: 32767, source: 'default' } })
  expect(new Set(report.nodes.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']))
  expect(plan(assessment, state, defaultPolicy)).toMatchObject({ changes: [], blockedBy: ['CLUSTER_IDENTITY'] })
  const [found] = report.findings.filter(({ code }) => code === 'CLUSTER_IDENTITY')
  expect(found?.message).toContain('arn:aws:eks:eu-central-1:444455556666:cluster/blue')
  expect(found?.message).toContain('arn:aws:eks:eu-central-1:111122223333:cluster/blue')
  expect(found?.remedy).toMatch(/aws sts get-caller-identity .*111122223333.*--role/)
})

test('an address holds no password when it is said', () => {
  expect(JSON.stringify(endpointOf('https://user:hunter2@host.example'))).not.toContain('hunter2')
})
