import { expect, test } from '@jest/globals'
import type { EksCluster } from '../../shared/clients/aws/eks.ts'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { Traveller } from '../../shared/domain/fleet-names.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { policyWith } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import { fleetAccess } from '../../shared/fleet-access.ts'
import { observe } from '../../shared/workflows/observe/observe.ts'

const role = { account: '444455556666', viewerRoleArn: 'arn:aws:iam::444455556666:role/sync' }
const fleet = { own: '111122223333', regions: ['eu-west-1'], accounts: [{ account: '111122223333' }, role] }
const accessFor = (of: Traveller) => fleetAccess(fleet, of, async () => ({ observe }))
const cluster = { account: role.account, region: 'eu-west-1', name: 'prod' }
const described = (arn: string, createdAt = '2026-11-01T00:00:00.000Z'): EksCluster => ({
  state: {
    status: 'ACTIVE',
    arn,
    createdAt,
    autoMode: false,
    serviceNodePortRange: { min: 20_000, max: 22_767 },
    kubeProxyAddon: read(undefined),
    updates: read([]),
    tags: { 'calico-ipvs-sync': 'sync' },
  },
  endpoint: { server: 'https://127.0.0.1:1', caData: '', tokenFor: 'prod' },
})
const own = 'arn:aws:eks:eu-west-1:444455556666:cluster/prod'

test('a cluster of an account outside the fleet is never asked for with our own credentials', async () => {
  const access = accessFor('evaluate')
  const foreign = { ...cluster, account: '999999999999' }
  await expect((async () => access.describe(foreign))()).rejects.toThrow(
    /is not accessed: the fleet has no viewer role/,
  )
})

test('who changes never takes the role of who looks, also where no other is named', async () => {
  const access = accessFor('rollout-step')
  await expect((async () => access.describe(cluster))()).rejects.toThrow(/the fleet has no operator role/)
})

test.each([
  ['account', own.replace(role.account, '111122223333')],
  ['region', own.replace('eu-west-1', 'us-east-1')],
  ['name', own.replace('prod', 'stage')],
])(
  'a role that leads to a cluster of another %s: nothing is read there or planned, and people hear why',
  async (_, arn) => {
    const access = accessFor('evaluate')
    const eks = described(arn)
    expect(access.kube(cluster, eks)).toBeUndefined()
    const state = await access.observe(cluster, read(eks))
    const assessment = assess(state, policyWith({ action: 'sync' }))
    const { report } = assessment
    expect(report).toMatchObject({ cluster, verdict: 'unknown', nodes: [] })
    expect(report.cluster.arn).toBeUndefined()
    expect(report.serviceRange).not.toMatchObject({ source: 'eks-api' })
    const codes = report.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
    expect(codes).toEqual(['CLUSTER_IDENTITY'])
    const [found] = report.findings
    expect(found).toMatchObject({ severity: 'critical', message: expect.stringContaining(arn) })
    expect(plan(assessment, state, policyWith({}))).toMatchObject({ changes: [], blockedBy: ['CLUSTER_IDENTITY'] })
  },
)

test('the remedy for a role of another account names the knob', async () => {
  const state = await accessFor('evaluate').observe(cluster, read(described(own.replace('4444', '1111'))))
  const [found] = assess(state, policyWith({})).report.findings
  expect(found?.remedy).toContain('account 444455556666 (accounts[].viewerRoleArn) belongs to account 111155556666')
})

test('the client of a cluster is kept, and another one is made where it was made again under its name', () => {
  const access = accessFor('evaluate')
  const connection = (createdAt?: string) => access.kube(cluster, described(own, createdAt))?.close
  const first = connection()
  expect(connection()).toBe(first)
  expect(connection('2026-11-20T00:00:00.000Z')).not.toBe(first)
})
