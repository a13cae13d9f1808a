import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import type { ControlPlane } from '../../lab/control-plane/start.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { collectionOf, manifestsIn } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { runHere as run } from '../cli/here.ts'
import { sessions } from '../cli/session.ts'

/** What grant makes, on a real API server: the admission policies, and what server-side apply says of others' fields. */

const place = { account: '111122223333', region: 'eu-west-1' }
const arnOf = (role: string) => `arn:aws:iam::${place.account}:role/${role}`
const [admin, operator] = [arnOf('Admin'), arnOf('calico-ipvs-sync-operator')]
const keyring = createKeyring()
const workdir = mkdtempSync(join(tmpdir(), 'grant-'))
const all = [...manifestsIn('rbac.yaml'), ...manifestsIn('guard.yaml')]
let eks: EksStandIn
let sts: Endpoint
let cluster: ControlPlane

beforeAll(async () => {
  cluster = await useControlPlane({
    name: 'prod',
    workdir,
    authenticate: (token) => userIn(eks.cluster('prod'), token, keyring),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 1, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const accessEntries = [{ principalArn: admin, kubernetesGroups: ['system:masters'] }]
  const { server: endpoint, caData } = cluster
  const clusters = [{ name: 'prod', endpoint, caData, accessEntries }]
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters }), startSts({ keyring })])
}, 240_000)
afterAll(async () => {
  await Promise.all([cluster?.stop(), eks?.stop(), sts?.close()])
  rmSync(workdir, { recursive: true })
}, 60_000)

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))
const prod = ['--cluster', 'prod', '--region', place.region]
const grant = (...words: string[]) => run(['grant', ...prod, ...words], { env: as(admin) })

const mergePatch = 'application/merge-patch+json'

interface Live {
  metadata: { resourceVersion: string }
}
const versions = () =>
  Promise.all(
    all.map(async (it) => {
      const path = `${collectionOf(it)}/${it.metadata.name}`
      const live = (await cluster.request('GET', path).catch(() => undefined)) as Live | undefined
      return [it.kind, it.metadata.name, live?.metadata.resourceVersion]
    }),
  )

test('all of it is made, with the guard; run again, nothing is written', async () => {
  const { status, stdout } = await grant('--changes', '--yes')
  expect([status, stdout]).toEqual([
    0,
    expect.stringContaining('  + create ValidatingAdmissionPolicyBinding calico-ipvs-sync-pods\n'),
  ])
  const before = await versions()
  expect(before.filter(([, , version]) => version === undefined)).toEqual([])
  const again = await grant('--changes', '--yes')
  expect(again.stdout).not.toMatch(/^ {2}[+~!·-] /m)
  expect([again.status, await versions()]).toEqual([0, before])
  const doctor = await run(['doctor', ...prod], { env: as(operator) })
  expect(doctor).toMatchObject({ status: 0 })
}, 120_000)

test('a condition that somebody hid in the guard, so that it judges nobody, is found and said', async () => {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/calico-ipvs-sync-pods'
  const { spec } = (await cluster.request('GET', path)) as { spec: { matchConditions: object[] } }
  const matchConditions = [...spec.matchConditions, { name: 'never', expression: 'false' }]
  await cluster.request('PATCH', `${path}?fieldManager=kubectl-edit`, { spec: { matchConditions } }, mergePatch)
  const { status, stdout } = await grant('--changes', '--yes')
  expect(status).toBe(1)
  expect(stdout).toContain(
    '  ! left: ValidatingAdmissionPolicy calico-ipvs-sync-pods: it has content that grant did not write: spec.matchConditions',
  )
  await cluster.request(
    'PATCH',
    `${path}?fieldManager=kubectl-edit`,
    { spec: { matchConditions: spec.matchConditions } },
    mergePatch,
  )
}, 120_000)

test('rules that kubectl has written otherwise are kept, and the other objects are no worse for it', async () => {
  const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles/calico-ipvs-sync-viewer'
  const rules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }]
  await cluster.request('PATCH', `${path}?fieldManager=kubectl-edit`, { rules }, mergePatch)
  const { status, stdout } = await grant('--changes', '--yes')
  expect(status).toBe(1)
  expect(stdout).toContain('  ! left: ClusterRole calico-ipvs-sync-viewer: kubectl-edit has written it differently')
  expect(await cluster.request('GET', path)).toMatchObject({ rules })
}, 120_000)

test('--remove leaves what somebody else has written as well, and nothing else', async () => {
  const { status, stdout } = await grant('--remove', '--yes')
  expect(status).toBe(1)
  const left = (await versions()).filter(([, , version]) => version !== undefined).map(([kind, name]) => [kind, name])
  expect(left).toEqual([['ClusterRole', 'calico-ipvs-sync-viewer']])
  expect(stdout).toMatch(/! left: ClusterRole calico-ipvs-sync-viewer: .*kubectl-edit wrote it/)
  expect([...(eks.cluster('prod')?.accessEntries.keys() ?? [])]).toEqual([admin])
}, 120_000)
