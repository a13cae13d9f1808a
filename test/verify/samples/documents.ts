import { assess } from '../../../shared/domain/assess/assess.ts'
import { beside } from '../../../shared/domain/assess/beside.ts'
import type { ClusterState } from '../../../shared/domain/cluster.ts'
import { plan } from '../../../shared/domain/plan/plan.ts'
import { defaultPolicy } from '../../../shared/domain/policy/policy.ts'
import { read, valueOf } from '../../../shared/domain/read.ts'
import type { ClusterIdentity, Report, Sweep } from '../../../shared/domain/report.ts'
import { ours } from '../../../shared/domain/rollout/annotations.ts'
import { journalText, parseJournal } from '../../../shared/domain/rollout/journal.ts'
import { html } from '../../../shared/report/html/report.ts'
import { historyHtml } from '../../../shared/report/history/html.ts'
import { cluster } from '../../domain/ingredients.ts'
import { edited, felixObject, healthy, rangeKey } from '../../domain/states.ts'
import { unreachable } from '../../report/samples.ts'
import { aWeek } from './history.ts'

/** As the product itself judges it. */
export const reportOf = (state: ClusterState): Report => {
  const assessment = assess(state, defaultPolicy)
  return { ...assessment.report, ...beside(state), plan: plan(assessment, state, defaultPolicy) }
}

/** The names that nodes of EKS have. */
const withNames = (state: ClusterState): ClusterState =>
  JSON.parse(
    JSON.stringify(state).replaceAll(
      /node-(\d{4})/g,
      (_, digits: string) =>
        `ip-10-0-${Math.floor(Number(digits) / 250)}-${Number(digits) % 250}.eu-central-1.compute.internal`,
    ),
  ) as ClusterState

const called = (state: ClusterState, identity: ClusterIdentity): ClusterState => {
  const eks = valueOf(state.eks)
  const arn = `arn:aws:eks:${identity.region}:${identity.account}:cluster/${identity.name}`
  return { ...state, cluster: identity, ...(eks && { eks: read({ ...eks, arn }) }) }
}

const tenFindings = (): ClusterState =>
  called(
    withNames(
      cluster(
        'kubernetes 1.31, calico not ready on one, calico v3.29.7, eks range 20000-32767, node annotation 30000:32767, node port 8080, mask 0xffe20000, weave, wireguard, interfaceExclude eth0, nftablesMode Auto, nftables mask 0xff000000, on delete calico, owner argocd',
      ),
    ),
    { name: 'payments-prod', account: '111122223333', region: 'eu-central-1' },
  )

/** As many as the name of its page says. */
const withTen = (report: Report): Report => {
  const { length } =
    new Set(report.findings.map(({ code }) => code)).size === report.findings.length ? report.findings : []
  if (length !== 10) throw new Error(`ten-findings has ${length} findings of different kinds`)
  return report
}

/** `docs/example-state.json`: somebody set the range in the field that Calico ignores, and Services use ports that are out of Felix's range. */
export const exampleState = (): ClusterState => {
  const words = 'eks range 20000-32767, calico v3.28.4, spec 20000:32767, node port 21080'
  return called(withNames(cluster(words)), { name: 'shop-prod', account: '111122223333', region: 'eu-central-1' })
}

export const fiveHundred = (): ClusterState => {
  const state = edited(healthy({ nodes: 500, eks: { serviceNodePortRange: { min: 20_000, max: 32_767 } } }), (copy) => {
    const objects = valueOf(copy.felix)?.objects ?? []
    const overrides = ['node-0007', 'node-0123', 'node-0124'].map((name) =>
      felixObject({ name: `node.${name}`, annotations: { [rangeKey]: '20000:32767' } }),
    )
    copy.felix = read({ api: 'projectcalico.org/v3', objects: [...objects, ...overrides] })
    const uses = [21_080, 24_443, 30_080].map((port) => ({
      service: `shop/web-${port}`,
      field: 'nodePort',
      port,
      protocol: 'TCP',
    }))
    copy.nodePorts = read(uses as never)
  })
  return called(withNames(state), { name: 'batch-prod', account: '111122223333', region: 'eu-central-1' })
}

const halted = (): ClusterState => {
  const range = { [rangeKey]: '20000:32767' }
  const state = edited(cluster('eks range 20000-32767, calico v3.28.4, halted'), (copy) => {
    const lease = valueOf(copy.rollout)
    if (lease)
      Object.assign(lease.annotations, {
        [`${ours}journal`]: journal(),
        [`${ours}target`]: '20000:32767',
        [`${ours}evidence`]: evidence,
      })
    valueOf(copy.felix)?.objects.push(felixObject({ name: 'node.node-0001', annotations: range }))
  })
  return called(withNames(state), { name: 'shop-prod', account: '111122223333', region: 'eu-central-1' })
}

/** As the demo's `report-during.html`: four clusters, of which one is being changed and one cannot be reached. */
const duringRollout = (): Sweep => {
  const stopped = [`${ours}evidence`, `${ours}reason`]
  const changing = edited(halted(), (copy) => {
    const lease = valueOf(copy.rollout)
    if (!lease) return
    const kept = Object.entries(lease.annotations).filter(([key]) => !stopped.includes(key))
    const [begin, first] = parseJournal(lease.annotations[`${ours}journal`]).entries
    const entries = [begin, first].filter((it) => it !== undefined)
    lease.annotations = {
      ...Object.fromEntries(kept),
      [`${ours}state`]: 'running',
      [`${ours}journal`]: journalText({ earlier: 0, entries }),
    }
  })
  const named = (name: string, words: string) =>
    reportOf(called(withNames(cluster(words)), { name, account: '111122223333', region: 'eu-west-1' }))
  return {
    schemaVersion: 1,
    sweptAt: '2026-11-20T10:02:00Z',
    clusters: [reportOf(changing), named('legacy', 'mode iptables'), named('quiet', 'nothing'), unreachable],
  }
}

const evidence = JSON.stringify({
  node: 'node-0002',
  reason: 'it did not become Ready within 300 s',
  at: '2026-11-20T09:36:31Z',
  pod: {
    namespace: 'calico-system',
    name: 'calico-node-x7k2p',
    ready: false,
    restarts: 4,
    waiting: 'CrashLoopBackOff',
  },
  wrote: { object: 'FelixConfiguration/node.node-0002', value: '20000:32767', at: '2026-11-20T09:31:31Z' },
  kubelet: 'Ready',
  log: ['felix/daemon.go 412: Failed to connect to the datastore', 'felix/daemon.go 415: Exiting'],
  takenBackAt: '2026-11-20T09:36:32Z',
})

const journal = (): string => {
  const entry = (at: string, what: string, object: string) => ({
    at: `2026-11-20T${at}Z`,
    rollout: 'r',
    what,
    object,
    by: 'calico-ipvs-sync (AWS Lambda)',
  })
  return journalText({
    earlier: 0,
    entries: [
      entry('09:30:00', 'begin', '-'),
      entry('09:30:01', 'override', 'FelixConfiguration/node.node-0001'),
      entry('09:31:31', 'override', 'FelixConfiguration/node.node-0002'),
      entry('09:36:31', 'halt', 'Node/node-0002'),
      entry('09:36:32', 'roll-back', 'FelixConfiguration/node.node-0002'),
    ],
  })
}

/** What clusters of a large fleet are like: most of them well. */
const kinds = [
  ...Array.from({ length: 17 }, () => 'nothing'),
  'eks range 20000-32767',
  'node port 8080, spec 30000:34000',
  'mask 0xfff80000, wireguard',
  'rolling kube-proxy',
  'denied felix',
  'mode iptables',
  'no calico',
]

const accounts = ['111122223333', '222233334444', '333344445555', '444455556666', '555566667777']
const regions = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2']
const teams = ['payments', 'shop', 'search', 'batch', 'identity', 'logistics', 'reporting']

const fleet = (count: number): Sweep => ({
  schemaVersion: 1,
  sweptAt: '2026-11-20T10:02:00Z',
  clusters: Array.from({ length: count }, (_, at) => {
    // A step that has no factor in common with the lengths, so that all of it is mixed.
    const kind = kinds[(at * 7) % kinds.length] ?? 'nothing'
    const name = `${teams[(at * 5) % teams.length]}-${at % 3 === 0 ? 'staging' : 'prod'}-${at + 1}`
    const account = accounts[(at * 3) % accounts.length] ?? ''
    const region = regions[Math.floor(at / 5) % regions.length] ?? ''
    return reportOf(called(withNames(cluster(kind)), { name, account, region }))
  }),
})

/** The pages that are looked at, by the names of their files. */
export const pages = (): Record<string, string> => ({
  'ten-findings': html(withTen(reportOf(tenFindings()))),
  'five-hundred-nodes': html(reportOf(fiveHundred())),
  'fleet-of-300': html(fleet(300)),
  'halted-rollout': html(reportOf(halted())),
  'during-a-rollout': html(duringRollout()),
  history: historyHtml(aWeek()),
})
