import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { newAccessEntry } from '../../lab/aws/eks-model.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { collectionOf, manifestsIn } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { madeKey } from '../../shared/domain/grant/groups.ts'
import { runHere as run } from './here.ts'
import { sessions } from './session.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const arnOf = (role: string) => `arn:aws:iam::${place.account}:role/${role}`
const admin = arnOf('Admin')
const [viewer, operator] = [arnOf('calico-ipvs-sync-viewer'), arnOf('calico-ipvs-sync-operator')]
const [viewers, operators] = ['calico-ipvs-sync-viewers', 'calico-ipvs-sync-operators']
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'grant-'))
const rbac = '/apis/rbac.authorization.k8s.io/v1'
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster

beforeAll(async () => {
  cluster = await startEmbedded({
    name: 'prod',
    workdir,
    authenticate: (token) => userIn(eks.cluster('prod'), token, keyring),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 1, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const accessEntries = [{ principalArn: admin, kubernetesGroups: ['system:masters'] }]
  const { server: endpoint, caData } = cluster
  const more = { accessConfig: { authenticationMode: 'CONFIG_MAP' } }
  const clusters = [
    { name: 'prod', endpoint, caData, accessEntries },
    { name: 'gone', endpoint: 'https://127.0.0.1:1', caData, accessEntries },
    { name: 'old', endpoint: 'https://127.0.0.1:1', caData, more },
  ]
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters }), startSts({ keyring })])
})
afterAll(async () => {
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const entries = (name = 'prod') => eks.cluster(name)?.accessEntries ?? new Map()
const groupsOf = (principal: string): string[] | undefined => entries().get(principal)?.kubernetesGroups
const seed = (principal: string, kubernetesGroups: string[], more: { type?: string } = {}): void => {
  const holding = eks.cluster('prod')
  if (holding) holding.accessEntries.set(principal, newAccessEntry(holding, principal, { kubernetesGroups, ...more }))
}
const ours = manifestsIn('rbac.yaml')
const pathOf = (it: (typeof ours)[number]) => `${collectionOf(it)}/${it.metadata.name}`
const isThere = (path: string) =>
  cluster.request('GET', path).then(
    () => true,
    () => false,
  )
const thereOf = async () =>
  (await Promise.all(ours.map(async (it) => ((await isThere(pathOf(it))) ? [pathOf(it)] : [])))).flat()

/** As it was before. */
const clean = async () => {
  for (const name of ['prod', 'gone'])
    for (const principal of entries(name).keys()) if (principal !== admin) entries(name).delete(principal)
  for (const it of ours) await cluster.request('DELETE', pathOf(it)).catch(() => undefined)
}
beforeEach(clean)
afterEach(clean)

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))
const grant = (...words: string[]) =>
  run(
    [
      'grant',
      ...(words.includes('--cluster') || words.includes('--all') ? [] : ['--cluster', 'prod']),
      '--region',
      place.region,
      ...words,
    ],
    {
      env: as(admin),
    },
  )
const writes = () =>
  ['CreateAccessEntry', 'UpdateAccessEntry', 'DeleteAccessEntry', 'TagResource'].map((call) => eks.calls[call] ?? 0)

describe('what it will do is shown first', () => {
  test('off a terminal it must be agreed to: nothing is read, exit 64', async () => {
    const before = { ...eks.calls }
    const { status, stderr } = await grant('--changes')
    expect([status, eks.calls]).toEqual([64, before])
    expect(stderr).toContain('add --yes, or --dry-run')
  })

  test('--dry-run shows it and does nothing', async () => {
    const before = writes()
    const { status, stdout } = await grant('--changes', '--dry-run')
    expect(status).toBe(0)
    expect(stdout).toContain(`  + create access entry ${viewer}, groups ${viewers}\n`)
    expect(stdout).toContain(`  + create access entry ${operator}, groups ${operators}\n`)
    expect(stdout).toContain('  + create Role kube-system/calico-ipvs-sync-operator\n')
    // The embedded API server knows no admission policies.
    expect(stdout).toContain(
      '  · left out: 6 objects (ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding): this',
    )
    expect([writes(), await thereOf()]).toEqual([before, []])
  })

  test('a session, or one role for both, is wrong usage', async () => {
    const session = `arn:aws:sts::${place.account}:assumed-role/Looker/alice`
    const { status, stderr } = await grant('--yes', '--viewer-role', session)
    expect([status, stderr]).toEqual([64, expect.stringContaining(`a session of ${arnOf('Looker')}`)])
    expect((await grant('--yes', '--viewer-role', admin, '--operator-role', admin)).status).toBe(64)
  })
})

describe('it lets in', () => {
  test('who looks, and no one else: nothing that changes is made', async () => {
    const { status, stdout } = await grant('--yes')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^prod \(111122223333 eu-west-1\) {2}done {4}\d+ created$/m)
    expect([groupsOf(viewer), groupsOf(operator)]).toEqual([[viewers], undefined])
    expect((await thereOf()).filter((path) => /operators?$/.test(path))).toEqual([])
    const doctor = ['doctor', '--look-only', '--cluster', 'prod', '--region', place.region]
    expect(await run(doctor, { env: as(viewer) })).toMatchObject({ status: 0 })
  })

  test('with --changes who changes as well; run again, it is already so and nothing is written', async () => {
    expect((await grant('--changes', '--yes')).status).toBe(0)
    expect([groupsOf(viewer), groupsOf(operator)]).toEqual([[viewers], [operators]])
    expect((await thereOf()).length).toBe(ours.length)
    const doctor = ['doctor', '--cluster', 'prod', '--region', place.region]
    expect(await run(doctor, { env: as(operator) })).toMatchObject({ status: 0 })
    expect(await run(doctor, { env: as(viewer) })).toMatchObject({ status: 2 })
    const [before, version] = [writes(), (await cluster.request('GET', `${rbac}/clusterroles`)) as object]
    const { status, stdout } = await grant('--changes', '--yes')
    expect(status).toBe(0)
    expect(stdout).not.toMatch(/^ {2}[+~-] /m)
    expect(stdout).toContain(`  = already so: access entry ${operator}\n`)
    expect([writes(), await cluster.request('GET', `${rbac}/clusterroles`)]).toEqual([before, version])
  })

  test('roles that are named, by whom --role leads to', async () => {
    const [looks, changes] = [arnOf('deep/path/Looks'), arnOf('Changes')]
    const words = ['--role', admin, '--viewer-role', looks, '--operator-role', changes, '--changes', '--yes']
    const { status } = await run(['grant', '--cluster', 'prod', '--region', place.region, ...words], {
      env: as(arnOf('Nobody')),
    })
    expect([status, groupsOf(looks), groupsOf(changes), groupsOf(viewer)]).toEqual([
      0,
      [viewers],
      [operators],
      undefined,
    ])
  })

  test('a role that is in for something else keeps that', async () => {
    seed(viewer, ['people'])
    const { stdout } = await grant('--yes')
    expect(stdout).toContain(`  ~ change groups of access entry ${viewer}: people → people, ${viewers}\n`)
    expect(groupsOf(viewer)).toEqual(['people', viewers])
    await grant('--remove', '--yes')
    expect(groupsOf(viewer)).toEqual(['people'])
  })

  test('a role of nodes takes no groups: it is left, and said', async () => {
    seed(viewer, [], { type: 'EC2_LINUX' })
    const { status, stdout } = await grant('--yes')
    expect(status).toBe(1)
    expect(stdout).toContain(`  ! left: access entry ${viewer}: it is of type EC2_LINUX`)
  })
})

describe('--remove takes away what was made, and nothing else', () => {
  test('all of it', async () => {
    await grant('--changes', '--yes')
    const { status, stdout } = await grant('--remove', '--yes')
    expect([status, [...entries().keys()], await thereOf()]).toEqual([0, [admin], []])
    expect(stdout).toContain(`  - delete access entry ${operator}\n`)
    expect((await grant('--remove', '--yes')).status).toBe(0)
  })

  test('an entry whose groups somebody extended is reduced by ours; one with a policy of somebody stays as well', async () => {
    await grant('--changes', '--yes')
    entries().get(viewer)?.kubernetesGroups.push('extra')
    entries().get(operator)?.policies.push('arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy')
    expect((await grant('--remove', '--yes')).status).toBe(0)
    expect([groupsOf(viewer), groupsOf(operator)]).toEqual([['extra'], []])
  })

  test('entries of roles that a former deployment had, too', async () => {
    await grant('--yes', '--viewer-role', arnOf('Former'))
    await grant('--remove', '--yes')
    expect(groupsOf(arnOf('Former'))).toBeUndefined()
  })

  test('what somebody else made is left, and said: exit 1', async () => {
    seed(viewer, [viewers])
    const [first] = manifestsIn('rbac.yaml')
    await cluster.request('POST', `${rbac}/clusterroles?fieldManager=terraform`, first)
    const granted = await grant('--yes')
    expect(granted.stdout).toContain(`  = already so: access entry ${viewer}\n`)
    expect(granted.stdout).toContain('  = already so: ClusterRole calico-ipvs-sync-viewer\n')
    const { status, stdout } = await grant('--remove', '--yes')
    expect([status, groupsOf(viewer)]).toEqual([1, [viewers]])
    expect(stdout).toContain(`  ! left: access entry ${viewer}: it has ${viewers}, but was not created by grant\n`)
    expect(stdout).toContain(
      '  ! left: ClusterRole calico-ipvs-sync-viewer: it was not created by grant: terraform wrote it',
    )
    expect(await thereOf()).toEqual([`${rbac}/clusterroles/calico-ipvs-sync-viewer`])
  })
})

describe('what others hold is not taken over', () => {
  const role = (more: object) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'calico-ipvs-sync-viewer' },
    ...more,
  })
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]

  test('rules that somebody wrote otherwise', async () => {
    await cluster.request('POST', `${rbac}/clusterroles?fieldManager=argocd-controller`, role({ rules }))
    const { status, stdout } = await grant('--yes')
    expect(status).toBe(1)
    expect(stdout).toContain(
      '  ! left: ClusterRole calico-ipvs-sync-viewer: argocd-controller has written it differently',
    )
    expect(await cluster.request('GET', `${rbac}/clusterroles/calico-ipvs-sync-viewer`)).toMatchObject({ rules })
  })

  test('content that a forger hid beside ours', async () => {
    const [ours] = manifestsIn<{ apiVersion: string; kind: string; metadata: { name: string }; rules: object }>(
      'rbac.yaml',
    )
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { evil: 'yes' } }] }
    await cluster.request('POST', `${rbac}/clusterroles`, role({ rules: ours?.rules, aggregationRule }))
    const { status, stdout } = await grant('--yes')
    expect(status).toBe(1)
    expect(stdout).toContain(
      '! left: ClusterRole calico-ipvs-sync-viewer: it has content that grant did not write: aggregationRule.',
    )
  })
})

describe('what stands in the way is named, with what to paste', () => {
  test('the authentication mode CONFIG_MAP: nothing is done, and both ways out are told', async () => {
    const { status, stdout } = await grant('--cluster', 'old', '--changes', '--yes')
    expect(status).toBe(1)
    expect(stdout).toContain(
      'aws eks update-cluster-config --name old --access-config authenticationMode=API_AND_CONFIG_MAP --region eu-west-1',
    )
    expect(stdout).toContain('cannot be reverted: EKS does not let a cluster go back to CONFIG_MAP')
    expect(stdout).toContain(
      `- rolearn: ${operator}\n        username: ${operators}\n        groups:\n        - ${operators}\n`,
    )
    expect(stdout).toContain('edit configmap aws-auth')
    expect([...entries('old').keys()]).toEqual([])
  })

  test('a call that IAM denies: its name, and a policy with all that grant calls; what can be done is done', async () => {
    const undo = eks.inject({ operation: 'CreateAccessEntry', error: 'AccessDeniedException' })
    const { status, stdout } = await grant('--yes')
    undo()
    expect(status).toBe(2)
    expect(stdout).toContain(`! failed: access entry ${viewer}: eks:CreateAccessEntry: AccessDeniedException`)
    expect(stdout).toMatch(/aws iam put-role-policy .*"eks:CreateAccessEntry"/)
    expect((await thereOf()).length).toBeGreaterThan(0)
  })

  test('an API server that cannot be reached: the entries are made, and what is left is one line', async () => {
    const { status, stdout } = await grant('--cluster', 'gone', '--yes')
    expect(status).toBe(2)
    expect(stdout.match(/! failed/g)).toHaveLength(1)
    expect(stdout).toContain(
      'calico-ipvs-sync rbac | kubectl --context arn:aws:eks:eu-west-1:111122223333:cluster/gone apply -f -',
    )
    expect([...entries('gone').keys()]).toContain(viewer)
  })

  test('a caller whom the cluster does not know', async () => {
    const { status, stdout } = await run(['grant', '--cluster', 'prod', '--region', place.region, '--yes'], {
      env: as(arnOf('Stranger')),
    })
    expect(status).toBe(2)
    expect(stdout).toContain('AmazonEKSClusterAdminPolicy')
  })

  test('EKS that describes another cluster than the one that was named', async () => {
    const it = eks.cluster('prod')?.cluster
    const arn = it?.arn ?? ''
    if (it) it.arn = arn.replace(place.account, '999999999999').replace('prod', 'other')
    const { status, stdout } = await grant('--yes')
    if (it) it.arn = arn
    expect([status, groupsOf(viewer)]).toEqual([2, undefined])
    expect(stdout).toContain('EKS describes another cluster than the named one')
  })
})

describe('many clusters', () => {
  test('one that is not there does not keep the others out; a row each', async () => {
    const { status, stdout } = await grant('--cluster', 'prodd', '--cluster', 'prod', '--cluster', 'old', '--yes')
    expect([status, groupsOf(viewer)]).toEqual([2, [viewers]])
    expect(stdout).toMatch(/^prodd \(eu-west-1\) +failed +1 failed$/m)
    expect(stdout).toMatch(/^prod \(111122223333 eu-west-1\) +done +\d+ created$/m)
    expect(stdout).toMatch(/^old \(111122223333 eu-west-1\) +left +1 left$/m)
    expect(stdout).toContain('let into 1 of 3 clusters')
  })

  test('--all is every cluster of the region, as JSON too; a region that cannot be listed is a row', async () => {
    const { stdout } = await grant('--all', '--dry-run', '-o', 'json')
    const { clusters } = JSON.parse(stdout) as { clusters: { cluster: { name: string }; outcome: string }[] }
    expect(clusters.map(({ cluster: { name }, outcome }) => [name, outcome])).toEqual([
      ['gone', 'failed'],
      ['old', 'left'],
      ['prod', 'done'],
    ])
    const undo = eks.inject({ operation: 'ListClusters', error: 'AccessDeniedException' })
    const unlisted = await grant('--all', '--yes')
    undo()
    expect(unlisted.status).toBe(2)
    expect(unlisted.stdout).toContain('all clusters of eu-west-1')
    expect(unlisted.stdout).toContain('eks:ListClusters')
  })
})

test('what is made is marked as made here', async () => {
  await grant('--yes')
  expect(entries().get(viewer)?.tags).toEqual({ [madeKey]: 'created' })
})
