import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type EksStandIn, startEks } from '../../lab/aws/eks.ts'
import { userIn } from '../../lab/aws/eks-token.ts'
import type { Endpoint } from '../../lab/aws/endpoint.ts'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startSts } from '../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { runHere as run } from '../cli/here.ts'
import { sessions } from '../cli/session.ts'
import { faultsOf, type Printed, printedIn, stringsIn, type Way, withoutContext } from './printed.ts'

/** Every command that is printed about clusters that were named to EKS, one by one and as a fleet. */
const place = { account: '111122223333', region: 'eu-west-1' }
const roleNamed = (name: string) => `arn:aws:iam::${place.account}:role/${name}`
const [reader, viewer, stranger] = [roleNamed('Reader'), roleNamed('Viewer'), roleNamed('Stranger')]
const arnOf = (name: string) => `arn:aws:eks:${place.region}:${place.account}:cluster/${name}`
const keyring = createKeyring()
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
  const accessEntries = [
    { principalArn: reader, kubernetesGroups: ['system:masters'] },
    { principalArn: viewer, kubernetesGroups: ['nobody'] },
  ]
  const { server: endpoint, caData } = cluster
  // The add-on was told another mode than kube-proxy reads.
  const addons = [{ name: 'kube-proxy', version: 'v1.36.3-eksbuild.2', configurationValues: '{"mode":"iptables"}' }]
  const nodePortRange = { min: 20000, max: 22767 }
  const clusters = [
    { name: 'prod', endpoint, caData, accessEntries, addons, nodePortRange },
    { name: 'gone', endpoint: 'https://127.0.0.1:1', caData, accessEntries },
    { name: 'old', endpoint, caData, more: { accessConfig: { authenticationMode: 'CONFIG_MAP' } } },
  ]
  ;[eks, sts] = await Promise.all([startEks({ keyring, place, clusters }), startSts({ keyring })])
})
afterAll(async () => {
  await Promise.all([cluster.stop(), eks.stop(), sts.close()])
  rmSync(workdir, { recursive: true })
})

const as = sessions(keyring, () => ({ AWS_ENDPOINT_URL_EKS: eks.url, AWS_ENDPOINT_URL_STS: sts.url }))

/** What each command says, on both streams and in the texts of its document. */
const saidBy = async (commands: readonly string[][], env: NodeJS.ProcessEnv): Promise<string[]> => {
  const said: string[] = []
  for (const words of commands) {
    const { stdout, stderr } = await run(words, { env })
    said.push(stderr, words.includes('json') ? stringsIn(JSON.parse(stdout)).join('\n') : stdout)
  }
  return said
}

const faultsIn = (said: readonly string[], way: Way): { printed: Printed[]; faults: string[] } => {
  const printed = printedIn(said)
  const faults = [...printed.flatMap((it) => faultsOf(it, way)), ...withoutContext(said)]
  return { printed, faults: [...new Set(faults)] }
}

const looking = [
  ['check'],
  ['check', '-o', 'json'],
  ['plan'],
  ['sync', '--dry-run'],
  ['doctor'],
  ['doctor', '-o', 'json'],
  ['rollout', 'status'],
  ['rollout', 'pause'],
  ['rollout', 'resume'],
  ['grant', '--dry-run'],
  ['grant', '--changes', '--dry-run', '-o', 'json'],
  ['grant', '--remove', '--dry-run'],
]

test.each([
  ['whose objects may be read', 'prod', reader, {}],
  ['with a role that is assumed', 'prod', stranger, { role: reader }],
  ['whose objects may not be read', 'prod', viewer, {}],
  ['that has no access entry', 'prod', stranger, {}],
  ['that does not answer', 'gone', reader, {}],
  ['that takes no access entries', 'old', reader, {}],
  ['that is not there', 'prodd', reader, {}],
] as const)('one by name, %s', async (_, name, caller, { role }: { role?: string }) => {
  const words = ['--cluster', name, '--region', place.region, ...(role === undefined ? [] : ['--role', role])]
  const said = await saidBy(
    looking.map((it) => [...it, ...words]),
    as(caller),
  )
  const arn = name === 'prodd' ? 'arn:aws:eks:eu-west-1:ACCOUNT:cluster/prodd' : arnOf(name)
  const way = { cluster: name, region: place.region, arn, ...(role !== undefined && { role }) }
  const { printed, faults } = faultsIn(said, way)
  expect(printed.length).toBeGreaterThan(2)
  expect(faults).toEqual([])
})

test('one whose region stands in the environment is named with its region', async () => {
  const env = { ...as(reader), AWS_DEFAULT_REGION: place.region }
  const said = await saidBy([['rollout', 'pause', '--cluster', 'prod']], env)
  expect(printedIn(said).map(({ text }) => text)).toEqual([
    `calico-ipvs-sync rollout status --cluster prod --region ${place.region}`,
  ])
})

test('a fleet: each row speaks of its own cluster, also a region that may not be listed', async () => {
  const sweep = async (words: string[], caller: string) => {
    const { stdout } = await run(['sweep', '-o', 'json', ...words], { env: as(caller) })
    return (JSON.parse(stdout) as { clusters: { cluster: { name: string } }[] }).clusters
  }
  for (const row of await sweep(['--region', place.region, '--role', reader], stranger)) {
    const { name } = row.cluster
    const way = { cluster: name, region: place.region, role: reader, arn: arnOf(name) }
    const { printed, faults } = faultsIn(stringsIn(row), way)
    expect([name, printed.length > 0, faults]).toEqual([name, true, []])
  }
  const undo = eks.inject({ operation: 'ListClusters', error: 'AccessDeniedException' })
  const [unlisted] = await sweep(['--region', place.region], reader)
  undo()
  const { printed, faults } = faultsIn(stringsIn(unlisted), { cluster: 'none', region: 'eu-west-1' })
  expect(printed.length).toBeGreaterThan(0)
  expect(printed.filter(({ words }) => words.includes('--cluster'))).toEqual([])
  expect(faults).toEqual([])
})

test('a fleet of contexts: each row by its context and kubeconfig; one that is not there too', async () => {
  const path = join(workdir, 'a fleet')
  writeFileSync(path, readFileSync(cluster.kubeconfig))
  const words = ['--kubeconfig', path, '--context', 'prod', '--context', 'gone']
  const { stdout } = await run(['sweep', '-o', 'json', ...words, '--probe'])
  const { clusters } = JSON.parse(stdout) as { clusters: { cluster: { context: string } }[] }
  for (const row of clusters) {
    const { context } = row.cluster
    const { printed, faults } = faultsIn(stringsIn(row), { context, kubeconfig: path })
    expect([context, printed.length > 0, faults]).toEqual([context, true, []])
  }
})
