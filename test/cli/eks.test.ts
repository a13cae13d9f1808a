import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { reportSchema, sweepSchema } from '../../shared/report/schema.ts'
import { refusing, unwell } from '../unwell/endpoints.ts'
import { runHere as run } from './here.ts'
import { sessions } from './session.ts'

const place = { account: '111122223333', region: 'eu-west-1' }
const [reader, stranger] = ['Reader', 'Stranger'].map((name) => `arn:aws:iam::${place.account}:role/${name}`) as [
  string,
  string,
]
const keyring = createKeyring()
const { serve, close } = unwell()
const workdir = mkdtempSync(join(tmpdir(), 'eks-'))
let eks: EksStandIn
let sts: Endpoint
let cluster: EmbeddedCluster

beforeAll(async () => {
  cluster = await startEmbedded({
    name: 'prod',
    workdir,
    nodePortRange: { min: 20000, max: 22767 },
    authenticate: (token) => userIn(eks.cluster('prod'), token, keyring),
  })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 3, kubernetesVersion: '1.36.3', kubeProxy: { mode: 'ipvs' }, calico })
  const addons = [{ name: 'kube-proxy', version: 'v1.36.3-eksbuild.2', configurationValues: '{"mode":"ipvs"}' }]
  const accessEntries = [{ principalArn: reader, kubernetesGroups: ['system:masters'] }]
  const { server: endpoint, caData } = cluster
  const range = { nodePortRange: { min: 20000, max: 22767 } }
  const gone = { name: 'gone', endpoint: 'https://127.0.0.1:1', caData, accessEntries }
  const clusters = [{ name: 'prod', endpoint, caData, addons, accessEntries, ...range }, gone]
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters }), startSts({ keyring })])
})
afterAll(async () => {
  close()
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))
const check = async (words: string[], env: NodeJS.ProcessEnv) => {
  const ended = await run(['check', '-o', 'json', ...words], { env })
  return { ...ended, report: reportSchema.parse(JSON.parse(ended.stdout)) }
}
const prod = ['--cluster', 'prod', '--region', place.region]
const arn = `arn:aws:eks:${place.region}:${place.account}:cluster/prod`

test('a cluster by name: its range and add-on come from the EKS API, its objects by a token of ours', async () => {
  const { report, status } = await check(prod, as(reader))
  expect(report.cluster).toEqual({ name: 'prod', arn, ...place })
  expect(report.serviceRange).toEqual({ min: 20000, max: 22767, source: 'eks-api' })
  expect(report.kubeProxy).toEqual({ configuredMode: 'ipvs', addonVersion: 'v1.36.3-eksbuild.2' })
  expect([report.verdict, status]).toEqual(['out-of-step', 1])
})

test('--role is assumed for the EKS API and for the token', async () => {
  const { report } = await check([...prod, '--role', reader], as(stranger))
  expect(report.nodes).toHaveLength(3)
})

test('without an access entry the answer is unknown and says so: exit 2', async () => {
  const { report, status } = await check(prod, as(stranger))
  expect([report.verdict, status]).toEqual(['unknown', 2])
  expect(report.findings.map(({ code }) => code)).toContain('ACCESS_DENIED')
})

test('a cluster that EKS does not know is unknown too, and the command that lists them is told', async () => {
  const { report, status } = await check(['--cluster', 'prodd', '--region', place.region], as(reader))
  expect([report.verdict, status]).toEqual(['unknown', 2])
  expect(report.findings[0]?.message).toContain('aws eks list-clusters --region eu-west-1')
})

test('a context named by its ARN, as aws eks update-kubeconfig names it, is asked about at the EKS API as well', async () => {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as { contexts: { name: string }[] }
  const [context] = config.contexts
  if (context) context.name = arn
  const path = join(workdir, 'by-arn')
  writeFileSync(path, stringify({ ...config, 'current-context': arn }))
  const { report } = await check(['--kubeconfig', path], as(reader))
  expect(report.cluster).toEqual({ name: 'prod', arn, ...place, context: arn })
  expect(report.serviceRange?.source).toBe('eks-api')
})

test('so is a context with an alias: the cluster beneath it is named by the ARN', async () => {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as {
    clusters: { name: string }[]
    contexts: { name: string; context: { cluster: string } }[]
  }
  const [{ contexts, clusters }] = [config]
  for (const it of clusters) it.name = arn
  for (const it of contexts) Object.assign(it, { name: 'production' }).context.cluster = arn
  const path = join(workdir, 'by-alias')
  writeFileSync(path, stringify({ ...config, 'current-context': 'production' }))
  const { report } = await check(['--kubeconfig', path], as(reader))
  expect(report.cluster).toEqual({ name: 'prod', arn, ...place, context: 'production' })
  expect(report.serviceRange?.source).toBe('eks-api')
})

test('sweep --region looks at every cluster of the region; one that does not answer is a row', async () => {
  const ended = await run(['sweep', '--region', place.region, '-o', 'json'], { env: as(reader) })
  const { clusters } = sweepSchema.parse(JSON.parse(ended.stdout))
  expect(clusters.map(({ cluster: { name }, verdict }) => [name, verdict])).toEqual([
    ['gone', 'unknown'],
    ['prod', 'out-of-step'],
  ])
  expect(ended.status).toBe(1)
})

test('a region that cannot be listed is a row as well, never nothing', async () => {
  const undo = eks.inject({ operation: 'ListClusters', error: 'AccessDeniedException' })
  const ended = await run(['sweep', '--region', place.region, '-o', 'json'], { env: as(reader) })
  undo()
  const { clusters } = sweepSchema.parse(JSON.parse(ended.stdout))
  expect(clusters.map(({ cluster: { name }, verdict }) => [name, verdict])).toEqual([
    ['all clusters of eu-west-1', 'unknown'],
  ])
  const remedies = clusters.flatMap(({ findings }) => findings.flatMap(({ remedy = '' }) => remedy.split('\n')))
  expect(remedies).toContain(
    `aws eks list-clusters --region ${place.region}   # until this succeeds, sweep cannot list them either`,
  )
  expect(remedies.filter((remedy) => remedy.includes('doctor'))).toEqual([])
  expect(ended.status).toBe(2)
})

test.each([
  ['may not list clusters', 'eks', /eks:ListClusters on all clusters/],
  ['may not be assumed', 'sts', /Allow the caller sts:AssumeRole/],
] as const)('a region whose clusters a role %s: sweep is advised again as that role', async (_, where, cause) => {
  const words = ['sweep', '--region', place.region, '--account', place.account, '--role', 'Reader', '-o', 'json']
  const denying = await serve(refusing(403, 'AccessDenied'))
  const broken = where === 'eks' ? { AWS_ENDPOINT_URL_EKS: denying } : { AWS_ENDPOINT_URL_STS: denying }
  const ended = await run(words, { env: { ...as(stranger), ...broken } })
  const { clusters } = sweepSchema.parse(JSON.parse(ended.stdout))
  expect(clusters.map(({ cluster }) => cluster)).toEqual([{ name: 'all clusters of eu-west-1', ...place }])
  const remedies = clusters.flatMap(({ findings }) => findings.flatMap(({ remedy = '' }) => remedy.split('\n')))
  expect(remedies).toContainEqual(expect.stringMatching(cause))
  expect(remedies).toContain(
    `calico-ipvs-sync sweep --region ${place.region} --role ${reader}   # lists them again, as that role`,
  )
  expect(remedies.filter((remedy) => /doctor|aws eks/.test(remedy))).toEqual([])
  expect(ended.status).toBe(2)
})

test('--account and --role by name make the role of each account', async () => {
  const words = ['sweep', '--region', place.region, '--account', place.account, '--role', 'Reader', '-o', 'json']
  const { stdout } = await run(words, { env: as(stranger) })
  expect(sweepSchema.parse(JSON.parse(stdout)).clusters).toHaveLength(2)
})
