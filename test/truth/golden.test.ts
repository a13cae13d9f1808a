import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'
import { type Cloud, startCloud } from '../../lab/aws/cloud.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { createIfAbsent } from '../../lab/control-plane/crds.ts'
import { useControlPlane } from '../control-planes/use.ts'
import { setKubeProxyMode } from '../../lab/fixtures/changes.ts'
import type { ClusterSpec, NodeSpec } from '../../lab/fixtures/cluster-spec.ts'
import { breakNode } from '../../lab/fixtures/faults.ts'
import { applyManifests } from '../../lab/fixtures/manifests.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import { records } from '../../shared/clients/aws/records.ts'
import type { FindingCode, Report, Verdict } from '../../shared/domain/report.ts'
import { clusterKey } from '../../shared/messages.ts'
import { reportSchema } from '../../shared/report/schema.ts'
import { runHere as run } from '../cli/here.ts'
import { synthesized } from '../flow/assemble.ts'
import { delays } from '../flow/place.ts'
import { aSecond, emptied, nodeNames, rangeAnnotation, removed, restartKubeProxy } from './world.ts'
import { until } from '../until.ts'

/**
 * One engine serves both: the command line, by kubeconfig and by cluster name, and the Lambda as bundled and deployed
 * say the very same of the same cluster; and so does a captured state, on any other machine at any later time.
 */

const workdir = mkdtempSync(join(tmpdir(), 'golden-'))
const place = { account: '111122223333', region: 'eu-west-1' }
const ref = { ...place, name: 'golden' }
const arn = `arn:aws:eks:${place.region}:${place.account}:cluster/${ref.name}`
const nodePortRange = { min: 20000, max: 22767 }
const started: { cloud?: Cloud } = {}
let cluster: LabCluster
let cloud: Cloud

beforeAll(async () => {
  const authenticate = async (token: string) => started.cloud?.authenticate(ref.name)(token)
  cluster = await useControlPlane({ name: ref.name, workdir, nodePortRange, authenticate })
  const metadata = { name: 'calico-system' }
  await createIfAbsent(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata })
  await applyManifests(cluster)
  // A notice that waits a minute for others keeps the cloud from coming to rest.
  const config = { env: place, clusters: [ref.name], events: { gapSeconds: 1 }, notices: { digest: false } }
  const assemblyDir = await synthesized(workdir, config)
  const { server: endpoint, caData } = cluster
  const addons = [{ name: 'kube-proxy', version: 'v1.36.3-eksbuild.2', configurationValues: '{"mode":"ipvs"}' }]
  const clusters = [{ name: ref.name, endpoint, caData, nodePortRange, addons }]
  cloud = await startCloud({ ...place, assemblyDir, timeScale: 0.01, delays, eks: { clusters } })
  started.cloud = cloud
  cloud.eks.grant(ref.name, cloud.credentials.arn, ['calico-ipvs-sync-viewers'])
  nameByArn()
}, 240_000)
afterAll(async () => {
  await cloud?.stop()
  await cluster?.stop()
  rmSync(workdir, { recursive: true })
}, 60_000)

const kubeconfig = join(workdir, 'kubeconfig')
/** As `aws eks update-kubeconfig` writes it: the context's name tells which cluster to ask the EKS API about. */
const nameByArn = (): void => {
  const config = parse(readFileSync(cluster.kubeconfig, 'utf8')) as { contexts: { name: string }[] }
  for (const context of config.contexts) context.name = arn
  writeFileSync(kubeconfig, stringify({ ...config, 'current-context': arn }))
}

/** All that is said of a cluster, but for when and under which name it was looked at. */
const judgement = ({ observedAt: _at, readSeconds: _took, cluster: _whose, findings, ...rest }: Report) => ({
  ...rest,
  findings: findings.map(({ remedy, ...finding }) => ({ ...finding, remedy: remedy && unplaced(remedy) })),
})

/** A command leads to the cluster by the way it was reached; all else in it is the same. */
const unplaced = (remedy: string): string =>
  remedy
    .replace(/^aws eks update-kubeconfig .*\n/gm, '')
    .replace(/ --(context|kubeconfig|cluster|region) [^ ,\n]+/g, '')

const cli = async (...words: string[]): Promise<Report> => {
  const { stdout, stderr } = await run(words, { env: cloud.environment })
  if (stdout === '') throw new Error(`calico-ipvs-sync ${words.join(' ')}: ${stderr}`)
  const document: unknown = JSON.parse(stdout)
  reportSchema.parse(document)
  return document as Report
}
const check = (...words: string[]): Promise<Report> => cli('check', '--plan', '-o', 'json', ...words)
const byKubeconfig = ['--kubeconfig', kubeconfig, '--context', arn]
const byName = ['--cluster', ref.name, '--region', place.region]

/** What the function stored of a look from now on: the schedule fires, the sweep asks, `evaluate` looks. */
const byLambda = async (): Promise<Report> => {
  const since = new Date().toISOString()
  cloud.fire()
  await cloud.idle()
  expect(cloud.faults).toEqual([])
  const { credentials, environment, stack } = cloud
  const endpoint = environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? ''
  const client = new DynamoDBClient({ region: place.region, credentials, endpoint })
  const table = stack.ofType('AWS::DynamoDB::Table')[0]?.name ?? ''
  const report = await records(client, table).lastReport(clusterKey(ref))
  client.destroy()
  if (!report || report.observedAt < since) throw new Error('The function has stored no report of this look.')
  return report
}

const spec: ClusterSpec = {
  nodes: 3,
  kubernetesVersion: '1.36.3',
  kubeProxy: { mode: 'ipvs' },
  calico: { version: 'v3.28.4', install: 'operator' },
}
const inStep = { [rangeAnnotation]: '20000:22767' }
const [first, second, third] = nodeNames

interface Golden {
  name: string
  make: () => Promise<void>
  verdict: Verdict
  /** Among others. */
  findings: FindingCode[]
}

const golden: Golden[] = [
  {
    name: 'a range that Calico does not know of',
    make: () => populate(cluster, spec),
    verdict: 'out-of-step',
    findings: ['RANGE_DIFFERS', 'RANGE_TOO_WIDE', 'IPVS_DEPRECATED'],
  },
  {
    name: 'in step, beside nodes that have no Calico',
    make: async () => {
      const nodes: NodeSpec[] = [
        { name: first, zone: 'eu-west-1a' },
        { name: 'fargate-1', computeType: 'fargate' },
        { name: 'windows-1', os: 'windows' },
      ]
      await populate(cluster, {
        ...spec,
        nodes,
        felixConfigurations: [{ metadata: { name: 'default', annotations: inStep } }],
      })
    },
    verdict: 'in-step',
    findings: ['IPVS_DEPRECATED'],
  },
  {
    name: 'modes that differ between nodes, proven by logs alone',
    make: async () => {
      await populate(cluster, spec)
      await aSecond()
      await setKubeProxyMode(cluster, 'iptables')
      await aSecond()
      await restartKubeProxy(cluster, first)
    },
    verdict: 'out-of-step',
    findings: ['MODE_MIXED', 'MODE_NOT_ROLLED', 'STALE_IPVS_DEVICE', 'RANGE_DIFFERS'],
  },
  {
    name: 'layers, masks and an owner',
    make: async () => {
      const node = (name: string, annotations: Record<string, string>, more = {}) => ({
        metadata: { name: `node.${name}`, annotations },
        spec: more,
      })
      const labels = { 'argocd.argoproj.io/instance': 'platform' }
      await populate(cluster, {
        ...spec,
        felixConfigurations: [
          { metadata: { name: 'default', labels }, spec: { kubeNodePortRanges: ['20000:22767'] } },
          node(second, { [rangeAnnotation]: '1000:2000' }, { iptablesMarkMask: 0x00ffff00 }),
          node(third, { ...inStep, [rangeAnnotation.toLowerCase()]: '1:2' }),
        ],
      })
    },
    verdict: 'out-of-step',
    findings: ['RANGE_SPEC_IGNORED', 'RANGE_SHADOWED', 'RANGE_INVALID', 'MARK_OVERLAP', 'OWNED_BY_GITOPS'],
  },
  {
    name: 'an old Calico by manifest that missed the mode, and a node that is down',
    make: async () => {
      const calico = { version: 'v3.21.6', install: 'manifest' } as const
      await populate(cluster, { ...spec, kubeProxy: { mode: 'iptables' }, calico })
      await aSecond()
      await setKubeProxyMode(cluster, 'ipvs')
      await aSecond()
      await restartKubeProxy(cluster)
      await breakNode(cluster, third, 'crash')
      // Until the simulated kubelets have heard of it.
      await sleep(1_100)
      await removed(cluster, `${calicoPods}&fieldSelector=spec.nodeName%3D${third}&gracePeriodSeconds=0`)
      await until('the crash', async () => (await waitingIn(calicoPods)).includes('CrashLoopBackOff'))
    },
    verdict: 'out-of-step',
    findings: ['FELIX_MISSED_MODE', 'NODES_NOT_READY', 'RANGE_DIFFERS'],
  },
  {
    name: 'no Calico at all',
    make: () => populate(cluster, { ...spec, calico: undefined }),
    verdict: 'not-applicable',
    findings: [],
  },
]

const calicoPods = '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dcalico-node'
const waitingIn = async (path: string): Promise<string> => JSON.stringify(await cluster.request('GET', path))

describe.each(golden)('$name', ({ make, verdict, findings }) => {
  let live: Report

  test('is judged the same by kubeconfig, by name and by the function', async () => {
    await emptied(cluster)
    await make()
    live = await check(...byKubeconfig)
    expect(live.verdict).toBe(verdict)
    expect(live.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(findings))
    const named = await check(...byName)
    expect(judgement(named)).toEqual(judgement(live))
    expect(judgement(await byLambda())).toEqual(judgement(live))
    expect(named.cluster).toEqual({ ...ref, arn })
  }, 180_000)

  test('is judged the same from a captured state', async () => {
    const file = join(workdir, 'state.json')
    await run(['capture', '--force', ...byKubeconfig, file], { env: cloud.environment })
    const offline = await cli('check', '--plan', '-o', 'json', '--state', file)
    expect(offline.cluster).toEqual(live.cluster)
    expect(judgement(offline)).toEqual(judgement(live))
    expect(readFileSync(file, 'utf8')).not.toContain(cluster.adminToken)
  }, 120_000)
})
