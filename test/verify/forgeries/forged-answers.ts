import type { LabCluster } from '../../../lab/cluster.ts'
import type { Fault, PlainAnswer } from '../../../lab/embedded/faults.ts'
import type { EmbeddedCluster } from '../../../lab/embedded/start.ts'
import { setKubeProxyMode } from '../../../lab/fixtures/changes.ts'
import { setPodLogs } from '../../../lab/fixtures/pod-logs.ts'
import type { Kind } from './forged-leases.ts'
import { mergePatch } from './world.ts'

const configMap = '/api/v1/namespaces/kube-system/configmaps/kube-proxy-config'
const texts = [
  'mode: bogus',
  'mode: [ipvs, iptables]',
  'mode: ipvs\nmode: iptables',
  '{',
  'a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]',
  '\u0000\u001b[2J',
  'mode: "ipvs\\u202e"',
  '- - - -',
  'x'.repeat(400_000),
]

const config: Kind = (random) => {
  const text = random.pick(texts)
  return {
    what: `ConfigMap: ${JSON.stringify(text.slice(0, 40))}`,
    put: async (cluster) => {
      const data = random.chance(0.2) ? { config: null, other: text } : { config: text }
      await cluster.request('PATCH', configMap, { data }, mergePatch)
    },
  }
}

const lines = [
  'Using ipvs Proxier',
  'Using iptables Proxy',
  'I0101 00:00:00.000000 1 server_linux.go:1] "Using ipvs Proxier"',
  '2099-01-01 00:00:00.000 [INFO][1] felix/int_dataplane.go 1: kube-proxy mode has changed. Felix will restart. IPVSModeEnabled=true',
  '\u001b]52;c;ZXZpbA==\u0007',
  '{"a":'.repeat(2000),
  'x'.repeat(100_000),
  '',
]

/** A mode written after the pods began makes their logs worth reading. */
const log: Kind = (random) => {
  const chosen = random.some(lines)
  const times = random.pick([1, 1, 5000])
  return {
    what: `log: ${chosen.length} lines ${times} times`,
    put: async (cluster) => {
      if (random.chance(0.7)) await setKubeProxyMode(cluster, random.pick(['ipvs', 'iptables']))
      const text = Array.from({ length: Math.min(times, 40_000 / chosen.length) }, () => chosen)
        .flat()
        .slice(0, 5000)
      const both = [
        { namespace: 'kube-system', container: 'kube-proxy' },
        { namespace: 'calico-system', container: 'calico-node' },
      ]
      for (const target of random.some(both)) await setPodLogs(cluster, target, text)
    },
  }
}

const paths = {
  nodes: /^\/api\/v1\/nodes/,
  services: /^\/api\/v1\/services/,
  daemonSets: /^\/apis\/apps\/v1\/daemonsets/,
  pods: /\/pods\?/,
  felix: /felixconfigurations\?/,
  lease: /leases\/calico-ipvs-sync/,
}

interface List {
  items?: unknown[]
  metadata?: object
}
type Spoil = (list: List) => unknown

const again = (list: List, times: number): List => ({
  ...list,
  items: Array.from({ length: times }, () => list.items ?? []).flat(),
})
const spoils: [string, Spoil][] = [
  ['cut short', (list) => JSON.stringify(list).slice(0, 200)],
  ['items null', (list) => ({ ...list, items: null })],
  ['items of nothing', (list) => ({ ...list, items: [null, 7, 'x', [], {}] })],
  ['items without metadata', (list) => ({ ...list, items: (list.items ?? []).map(() => ({})) })],
  ['another kind', () => ({ kind: 'Status', status: 'Success', metadata: {} })],
  ['an endless list', (list) => ({ ...list, metadata: { ...list.metadata, continue: 'forged' } })],
  ['everything a thousand times', (list) => again(list, 1000)],
  [
    'sixty megabytes',
    (list) => ({ ...list, items: [...(list.items ?? []), { metadata: { name: 'x'.repeat(60e6) } }] }),
  ],
  ['HTML', () => '<html><body>proxy</body></html>'],
  ['empty', () => ''],
]

/** A server, or what stands before it, that answers what it should not. Only the embedded one can be made to. */
const answer: Kind = (random) => {
  const [of, path] = random.pick(Object.entries(paths))
  const [how, spoil] = random.pick(spoils)
  const times = random.pick([1, 3, undefined])
  return {
    what: `answer: ${of} ${how}${times ? `, ${times} times` : ''}`,
    outside: true,
    put: async (cluster) => {
      const rewriteAnswer = (given: PlainAnswer): PlainAnswer => {
        const spoilt = given.status === 200 ? spoil(JSON.parse(given.body) as List) : given.body
        return { ...given, body: typeof spoilt === 'string' ? spoilt : JSON.stringify(spoilt) }
      }
      inject(cluster, { method: 'GET', path, rewriteAnswer, ...(times && { times }) })
    },
  }
}

/** Answers to the tool only: whoever judges sees what is there. */
const inject = (cluster: LabCluster, fault: Fault): void => {
  if (cluster.kind === 'embedded') (cluster as EmbeddedCluster).faults.inject(fault)
}

export const clearAnswers = (cluster: LabCluster): void => {
  if (cluster.kind === 'embedded') (cluster as EmbeddedCluster).faults.clear()
}

export const answerKinds: Kind[] = [config, log, answer, answer]
