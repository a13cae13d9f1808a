import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { assess } from '../../shared/domain/assess/assess.ts'
import type { ClusterState } from '../../shared/domain/cluster.ts'
import { noticeOf } from '../../shared/domain/notice/notice.ts'
import { plan } from '../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { failed, read } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import { html } from '../../shared/report/html/report.ts'
import { csv } from '../../shared/report/csv.ts'
import { junit } from '../../shared/report/junit.ts'
import { sarif } from '../../shared/report/sarif.ts'
import { text } from '../../shared/report/text/report.ts'
import { cluster } from '../domain/ingredients.ts'
import { faultsOf, type Printed, printedIn, stringsIn, type Way, withoutContext } from './printed.ts'

/** Every command in everything that is said of every world of docs/in-step.md, by every way to the cluster. */
const worlds = readFileSync(new URL('../../docs/in-step.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Given'))
  .map((line) => line.split('|')[1]?.trim() ?? '')

const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/prod'
const role = 'arn:aws:iam::111122223333:role/Admin'
const hostile = `it's $(touch made) "prod"; > made & \`touch made\``

/** EKS does not tell the range, and it is known by another way. */
const known = (source: 'probe' | 'flag') => ({
  eks: failed<never>({ kind: 'denied', object: 'eks:DescribeCluster', message: '403' }),
  givenServiceRange: { min: 20000, max: 22767, source },
})

const ways: Record<string, { over: Partial<ClusterState>; way: Way }> = {
  'a context': { over: { cluster: { name: 'prod', context: 'prod-1' } }, way: { context: 'prod-1' } },
  'a context of another kubeconfig': {
    over: { cluster: { name: 'prod', context: 'prod-1' }, reachedBy: { kubeconfig: '/tmp/my configs/a' } },
    way: { context: 'prod-1', kubeconfig: '/tmp/my configs/a' },
  },
  'a context that holds what a shell would run': {
    over: { cluster: { name: 'prod', context: hostile }, reachedBy: { kubeconfig: hostile } },
    way: { context: hostile, kubeconfig: hostile },
  },
  'a context of an EKS cluster, with a role': {
    over: {
      cluster: { name: 'prod', context: 'p', arn, region: 'eu-west-1', account: '111122223333' },
      reachedBy: { role },
    },
    way: { context: 'p', role },
  },
  'a context whose plugin takes a profile': {
    over: {
      cluster: { name: 'prod', context: 'p', arn, region: 'eu-west-1', account: '111122223333' },
      reachedBy: { kubeconfig: '/tmp/a', profile: 'my work' },
    },
    way: { context: 'p', kubeconfig: '/tmp/a', profile: 'my work' },
  },
  'a context, with the range probed': {
    over: { cluster: { name: 'prod', context: 'p' }, ...known('probe') },
    way: { context: 'p', range: 'probe' },
  },
  'a context, with the range given': {
    over: { cluster: { name: 'prod', context: 'p' }, ...known('flag') },
    way: { context: 'p', range: 'flag' },
  },
  'inside a pod': { over: { cluster: { name: 'kubernetes' }, reachedBy: { inCluster: true } }, way: {} },
  'a cluster of EKS that did not tell its account': {
    over: { cluster: { name: 'prod', region: 'eu-west-1' } },
    way: { cluster: 'prod', region: 'eu-west-1', arn: 'arn:aws:eks:eu-west-1:ACCOUNT:cluster/prod' },
  },
  'an EKS cluster by name': {
    over: { cluster: { name: 'prod', arn, region: 'eu-west-1', account: '111122223333' } },
    way: { cluster: 'prod', region: 'eu-west-1', arn },
  },
  'an EKS cluster by name and role': {
    over: { cluster: { name: 'prod', arn, region: 'eu-west-1', account: '111122223333' }, reachedBy: { role } },
    way: { cluster: 'prod', region: 'eu-west-1', role, arn },
  },
  'a cluster of the fleet that could not be described': {
    over: { cluster: { name: 'prod', region: 'eu-west-1', account: '111122223333' } },
    way: { cluster: 'prod', region: 'eu-west-1', arn },
  },
}

const denied = (object: string) => failed<never>({ kind: 'denied', object, message: '403' })
const lost = (object: string) => failed<never>({ kind: 'unreachable', object, message: 'no route' })
/** What keeps a look from its answer, and what stands in the Lease. */
const troubles: Partial<ClusterState>[] = [
  {},
  { rollout: denied('Lease') },
  { eks: denied('eks:DescribeCluster') },
  { eks: denied('sts:AssumeRole') },
  { nodes: lost('Nodes'), pods: lost('Pods'), daemonSets: lost('DaemonSets') },
  { nodes: failed<never>({ kind: 'unauthenticated', object: 'Nodes', message: '401', status: 401 }) },
  { nodes: failed<never>({ kind: 'unauthenticated', object: 'Nodes', message: 'no token' }) },
  { felix: denied('FelixConfigurations') },
  ...['halted', 'paused', 'bogus'].map((state) => ({
    rollout: read({
      resourceVersion: '1',
      annotations: {
        'calico-ipvs-sync/rollout': 'r1',
        'calico-ipvs-sync/state': state,
        'calico-ipvs-sync/phase': 'range',
        'calico-ipvs-sync/pace': JSON.stringify({
          strategy: 'staged',
          maxUnavailable: 1,
          canarySeconds: 45,
          settleSeconds: 35,
          nodeDeadlineSeconds: 300,
        }),
        'calico-ipvs-sync/where': JSON.stringify({ api: 'crd.projectcalico.org/v1' }),
        'calico-ipvs-sync/started-at': '2026-03-01T10:00:00Z',
        'calico-ipvs-sync/target': '20000:22767',
        'calico-ipvs-sync/reason': 'node-0001: not Ready',
        'calico-ipvs-sync/taken-back': JSON.stringify({
          object: 'FelixConfiguration/node.node-0001',
          at: '2026-03-01T11:59:00Z',
          by: 'argo',
        }),
      },
    }),
  })),
]

const reportOf = (state: ClusterState): Report => {
  const assessment = assess(state, defaultPolicy)
  return { ...assessment.report, plan: plan(assessment, state, defaultPolicy) }
}

const entities: Record<string, string> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&apos;': "'",
  '&amp;': '&',
}
/** The text of a page; what stands in an element begins a line, as it does on the screen. */
const withoutMarkup = (page: string): string =>
  page
    .replaceAll(/<style[\s\S]*?<\/style>|<script[\s\S]*?<\/script>/g, '')
    .replaceAll(/<[^>]*>/g, '\n')
    .replaceAll(/&(?:lt|gt|quot|#39|apos|amp);/g, (it) => entities[it] ?? it)
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
const textsOf = (report: Report): string[] => [
  text(report),
  text({ schemaVersion: 1, sweptAt: report.observedAt, clusters: [report] }),
  csv(report),
  withoutMarkup(junit(report)),
  withoutMarkup(html(report)),
  ...stringsIn(JSON.parse(sarif(report))),
  ...report.findings.flatMap(({ remedy, message }) => [remedy ?? '', message]),
]

/** A function of the deployment reaches its clusters by account, region and name. */
const noticesOf = (report: Report): string[] =>
  (['off', 'report', 'sync'] as const).flatMap((action) =>
    [{}, { halted: { node: 'node-0001' } }, { waits: 'outside its window' }].map(
      (it) => noticeOf(report, '?', action, it)?.text ?? '',
    ),
  )

/** Some worlds are about a cluster `blue` that EKS describes, and not this one: its kubeconfig is made anew. */
const isOfThis = ({ words }: Printed): boolean => !(words.includes('update-kubeconfig') && words.includes('blue'))

const states = new Map([...worlds, 'nothing', 'eks range 20000-22767'].map((given) => [given, cluster(given)]))

describe.each(Object.entries(ways))('reached by %s', (_, { over, way }) => {
  const reports = worlds
    .flatMap((given) => troubles.slice(0, 1).map((trouble) => reportOf({ ...states.get(given)!, ...trouble, ...over })))
    .concat(
      ['nothing', 'eks range 20000-22767'].flatMap((given) =>
        troubles.map((trouble) => reportOf({ ...states.get(given)!, ...trouble, ...over })),
      ),
    )

  test('every command is whole, stands where it can be copied, and leads there', () => {
    const notices = over.reachedBy ? [] : reports.flatMap(noticesOf)
    const texts = [...reports.flatMap(textsOf), ...notices]
    expect([...new Set(withoutContext(texts))]).toEqual([])
    const printed = printedIn(texts)
    expect(printed.filter(({ words }) => words.length < 2)).toEqual([])
    expect(printed.length).toBeGreaterThan(50)
    expect([...new Set(printed.filter(isOfThis).flatMap((it) => faultsOf(it, way)))]).toEqual([])
  })
})
