import type { LabCluster } from '../../../lab/cluster.ts'
import type { Random } from './random.ts'
import { bystanders, leasePath, leases, listed, mergePatch, nodes } from './world.ts'

/** One thing that somebody put into the cluster, or that a server answers. */
export interface Forgery {
  what: string
  /** With it the cluster may need a range: writing it is right. */
  needsRange?: boolean
  /** It is what a server answers; nothing in the cluster is changed. */
  outside?: boolean
  put: (cluster: LabCluster) => Promise<void>
}
export type Kind = (random: Random) => Forgery

const o = (key: string): string => `calico-ipvs-sync/${key}`
type Annotations = Record<string, string>

interface LeaseSpec {
  holder?: string
  renewTime?: string
  seconds?: number
}

const soon = (random: Random): string => new Date(Date.now() - random.int(60) * 1000).toISOString().replace('Z', '000Z')

/** Creates the Lease, or changes what stands there. */
const write = async (cluster: LabCluster, annotations: Annotations, held: LeaseSpec = {}): Promise<void> => {
  const spec = {
    ...(held.holder !== undefined && { holderIdentity: held.holder }),
    ...(held.renewTime !== undefined && { renewTime: held.renewTime }),
    ...(held.seconds !== undefined && { leaseDurationSeconds: held.seconds }),
  }
  const metadata = { name: 'calico-ipvs-sync', annotations }
  const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
  await cluster
    .request('POST', leases, object)
    .catch(() => cluster.request('PATCH', leasePath, { metadata: { annotations }, spec }, mergePatch))
}

const paces = [
  { strategy: 'staged', maxUnavailable: 1, canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60 },
  { strategy: 'staged', maxUnavailable: '100%', canarySeconds: 0, settleSeconds: 0, nodeDeadlineSeconds: 0 },
  { strategy: 'direct', maxUnavailable: 1000, canarySeconds: -1, settleSeconds: -1, nodeDeadlineSeconds: 1e12 },
  { strategy: 'bogus', maxUnavailable: 'all', canarySeconds: 'x', settleSeconds: null, nodeDeadlineSeconds: [] },
  { strategy: 'canary', maxUnavailable: 0, canarySeconds: 1e9, settleSeconds: 1e9, nodeDeadlineSeconds: 1 },
]
const places = [
  { namespace: 'kube-system', selector: {}, uid: 'forged' },
  { namespace: 'calico-system', selector: {}, uid: 'forged' },
  { namespace: 'kube-system', selector: { 'k8s-app': 'kube-proxy' }, uid: 'forged' },
  { namespace: '../../../apis', selector: {}, uid: '' },
  { namespace: '', selector: { app: 'x,y in (z)' }, uid: 'forged' },
]
const apis = ['crd.projectcalico.org/v1', 'projectcalico.org/v3', 'apps/v1', '../../..']

const base = (random: Random): Annotations => ({
  [o('rollout')]: random.pick(['aaaabbbbcccc', 'x y', '', 'ü'.repeat(300)]),
  [o('state')]: 'running',
  [o('phase')]: random.pick(['range', 'restarts', 'bogus']),
  [o('pace')]: JSON.stringify(random.pick(paces)),
  [o('where')]: JSON.stringify({ api: random.pick(apis.slice(0, 2)), pods: random.pick(places) }),
  [o('started-at')]: new Date().toISOString(),
})

/** Whom a DaemonSet of another program, or nobody, owns. */
const othersPods = async (cluster: LabCluster): Promise<string[]> => {
  const all = await listed(cluster, '/api/v1/pods')
  return all.map(({ metadata }) => metadata.name)
}

const daemonSetUid = async (cluster: LabCluster, random: Random): Promise<string> => {
  const all = await listed(cluster, '/apis/apps/v1/daemonsets')
  return random.pick(all.map(({ metadata }) => metadata.uid))
}

/** The Lease names pods to be restarted, in a place of its own choice. */
const restarts: Kind = (random) => {
  const place = random.pick(places)
  const [isReal, pace] = [random.chance(0.7), random.pick(paces)]
  const all = random.chance(0.6)
  return {
    what: `Lease: restarts in ${JSON.stringify(place)}, ${all ? 'every pod' : 'bystanders'}, uid ${isReal ? 'of a DaemonSet' : 'forged'}, ${pace.strategy}`,
    put: async (cluster) => {
      const names = all ? await othersPods(cluster) : bystanders.map(({ name }) => name)
      const uid = isReal ? await daemonSetUid(cluster, random) : place.uid
      const where = { api: 'crd.projectcalico.org/v1', pods: { ...place, uid } }
      await write(cluster, {
        ...base(random),
        [o('rollout')]: 'aaaabbbbcccc',
        [o('phase')]: 'restarts',
        [o('pace')]: JSON.stringify(pace),
        [o('where')]: JSON.stringify(where),
        [o('restart')]: names.join(' '),
      })
    },
  }
}

/** The Lease asks for a range that nobody needs. */
const range: Kind = (random) => {
  const target = random.pick([
    '1:65535',
    '0:0',
    'nonsense',
    '30000:32767',
    '20000:32767',
    '22,179',
    '9'.repeat(5000),
    '',
  ])
  const canary = random.pick([...nodes, 'gone', '../../default'])
  const defaulted = random.pick(['', 'bpfEnabled logSeverityScreen', '__proto__ constructor', 'reportingInterval'])
  return {
    what: `Lease: range ${target.slice(0, 20)}, canary ${canary}, defaulted ${defaulted}`,
    put: (cluster) =>
      write(cluster, {
        ...base(random),
        [o('phase')]: 'range',
        [o('target')]: target,
        [o('canary')]: canary,
        [o('defaulted')]: defaulted,
        ...(random.chance(0.3) && { [o('skip')]: nodes.join(' ') }),
      }),
  }
}

const states = [
  'bogus',
  '',
  'running ',
  'RUNNING',
  'paused',
  'halted',
  'done',
  'aborting',
  'aborted',
  '{}',
  'x'.repeat(9000),
]
const garbage = [
  '',
  '{',
  'null',
  '[]',
  '42',
  '"x"',
  '{"api":null,"pods":null}',
  '\u0000\u001b[2J',
  'x'.repeat(60_000),
  '{"__proto__":{"a":1}}',
]
const keys = [
  'rollout',
  'state',
  'phase',
  'pace',
  'where',
  'started-at',
  'target',
  'canary',
  'last',
  'skip',
  'defaulted',
  'restart',
]
const more = ['touching', 'finished-at', 'why', 'reason', 'rollback', 'evidence', 'zones', 'journal']

/** A state that is none, or one that is and should not be. */
const state: Kind = (random) => {
  const value = random.pick(states)
  return {
    what: `Lease: state ${value.slice(0, 12)}`,
    put: (cluster) => write(cluster, { ...base(random), [o('state')]: value, [o('target')]: '30000:32767' }),
  }
}

/** Any of its fields hold rubbish, or are gone. */
const rubbish: Kind = (random) => {
  const damaged = random.some([...keys, ...more]).slice(0, 6)
  const values = damaged.map((key) => [o(key), random.pick(garbage)] as const)
  return {
    what: `Lease: rubbish in ${damaged.join(', ')}`,
    put: (cluster) => write(cluster, { ...base(random), ...Object.fromEntries(values) }),
  }
}

/** Some of what stands there is damaged, and the rest is as it was. */
const damaged: Kind = (random) => {
  const some = random.some([...keys, ...more]).slice(0, 3)
  const values = some.map((key) => [o(key), random.pick([...garbage, ...states])] as const)
  return {
    what: `Lease: damaged in ${some.join(', ')}`,
    put: (cluster) => write(cluster, Object.fromEntries(values)),
  }
}

/** Held by somebody, for ever. */
const held: Kind = (random) => {
  const renewTime = random.pick([
    '2099-01-01T00:00:00.000000Z',
    '9999-12-31T23:59:59.999999Z',
    '1970-01-01T00:00:00.000000Z',
    soon(random),
  ])
  const seconds = random.pick([1, 900, 2_147_483_647])
  const holder = random.pick(['somebody', 'calico-ipvs-sync (AWS Lambda)', 'x'.repeat(2000), '\u202e\u0007'])
  return {
    what: `Lease: held by ${holder.slice(0, 30)} since ${renewTime} for ${seconds} s`,
    put: (cluster) =>
      write(
        cluster,
        { ...base(random), [o('target')]: '20000:32767', [o('phase')]: 'range' },
        { holder, renewTime, seconds },
      ),
  }
}

/** A history that did not happen. */
const journal: Kind = (random) => {
  const count = random.pick([1, 30, 400, 3000])
  const at = random.pick([
    '2020-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '+275760-09-13T00:00:00.000Z',
    'now',
    '-1',
    '',
  ])
  const why = random.pick(['RANGE_DIFFERS', '\u001b]52;c;ZXZpbA==\u0007', '::error::x', 'x'.repeat(500)])
  return {
    what: `Lease: journal of ${count} entries at ${at}`,
    put: (cluster) => {
      const line = (nth: number) =>
        `${at} r${nth} override FelixConfiguration/node.n${nth} - -> 1:2 by root because ${why}`
      const text = Array.from({ length: count }, (_, nth) => line(nth))
        .join('\n')
        .slice(0, 200_000)
      const state = random.pick(['running', 'done', 'paused'])
      return write(cluster, {
        ...base(random),
        [o('state')]: state,
        [o('journal')]: `# ${random.pick(['3', '-1', '1e99'])} earlier\n${text}`,
      })
    },
  }
}

/** A halt that asks for something to be taken back, or an abort. */
const rollback: Kind = (random) => {
  const names = random.some([...nodes, 'gone', '../../default'])
  const state = random.pick(['halted', 'aborting'])
  return {
    what: `Lease: ${state}, rollback ${names.join(' ')}`,
    put: (cluster) =>
      write(cluster, {
        ...base(random),
        [o('state')]: state,
        [o('phase')]: 'range',
        [o('target')]: '20000:32767',
        [o('rollback')]: names.join(' '),
        [o('reason')]: 'forged',
      }),
  }
}

/** Nodes that were touched long ago, or never. */
const touching: Kind = (random) => {
  const text = random.pick([
    `${nodes[0]}=x=2099-01-01T00:00:00Z`,
    `${nodes[0]}=x=never`,
    'a=b',
    'a=b=c=d',
    '==',
    `gone=x=${soon(random)}`,
  ])
  return {
    what: `Lease: touching ${text}`,
    put: (cluster) => write(cluster, { ...base(random), [o('touching')]: text, [o('target')]: '30000:32767' }),
  }
}

export const leaseKinds: Kind[] = [
  restarts,
  restarts,
  range,
  state,
  rubbish,
  damaged,
  damaged,
  held,
  journal,
  rollback,
  touching,
]
