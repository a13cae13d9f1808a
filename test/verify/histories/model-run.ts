import { assess } from '../../../shared/domain/assess/assess.ts'
import type { Policy } from '../../../shared/domain/policy/policy.ts'
import { read } from '../../../shared/domain/read.ts'
import { control } from '../../../shared/workflows/rollout/control.ts'
import { observe } from '../../../shared/workflows/observe/observe.ts'
import { sync } from '../../../shared/workflows/rollout/sync.ts'
import { felixObject } from '../../domain/states.ts'
import { somebody } from './acts.ts'
import { partyOf } from './call.ts'
import { clusterOf, nobody } from './cluster.ts'
import { writeFelix } from './felix.ts'
import { kubeOf } from './kube.ts'
import { merged } from './lease.ts'
import { beginning, stageOf } from './stage.ts'
import { type Hands, nodesIn, type Story, telling } from './stories.ts'

const week = 7 * 86_400_000

/** A story in the model: `sync` on a cluster of three nodes, without any fault. Answers what both clusters would show. */
export const playInModel = async (
  story: Story,
  { policy, range }: { policy: Policy; range: { min: number; max: number } },
): Promise<string[]> => {
  const stage = stageOf(1, new Set())
  const ref = { account: '111122223333', region: 'us-east-1', name: 'prod' }
  const cluster = clusterOf(stage, { ref, generation: 1, nodes: 3, range })
  const party = (name: string) => partyOf(stage, { name, kind: 'terminal', seconds: week / 1000, skew: 0 })
  const of = party('test')
  const plain = kubeOf(stage, nobody, { cluster, party: of })
  const put = (name: string, after: Parameters<typeof writeFelix>[2]['after']) =>
    void writeFelix(stage, nobody, { cluster, writer: somebody, name, after })
  const hands: Hands = {
    merge: async (name, annotations, spec = {}) => {
      const object = cluster.felix.get(name) ?? felixObject({ name, uid: `uid-${name}-theirs` })
      const after = merged(object.annotations, annotations) as Record<string, string>
      put(name, { ...object, annotations: after, spec: { ...object.spec, ...spec } })
    },
    remove: async (name) => put(name, undefined),
    removeLease: async () => void (cluster.lease = undefined),
    say: async (what) => {
      const given = await control(kubeOf(stage, nobody, { cluster, party: party('person') }), what, {
        by: 'person',
        now: of.now,
      })
      if (!given.changed) throw new Error(given.why)
    },
  }
  const nodes = [...cluster.machines.keys()]
  const { kube, lines } = telling(plain, { story, hands, nodes })
  const look = async () => {
    const state = await observe({ kube: plain, identity: ref, now: of.now(), eks: read(cluster.eks) })
    return { state, assessment: assess(state, policy) }
  }
  const sleep = (seconds: number) => new Promise<void>((resolve) => stage.schedule.after(seconds * 1000, resolve))
  const tools = {
    kube,
    holder: 'test',
    leaseSeconds: 60,
    now: of.now,
    tell: () => undefined,
    look,
    sleep,
    waiting: () => undefined,
  }
  const ended = sync({ ...tools, interrupted: () => false }, policy).then(
    ({ end }) => end as string,
    (error: unknown) => `fails: ${String(error)}`,
  )
  await stage.schedule.run(beginning + week)
  return [...lines, await ended, ...[...cluster.felix.keys()].toSorted().map((name) => nodesIn(name, nodes))]
}
