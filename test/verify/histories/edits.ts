import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { overrideKey } from '../../../shared/domain/rollout/annotations.ts'
import { felixObject, rangeKey } from '../../domain/states.ts'
import { annotated, type Disturbance, edit, leaseEdited, machineOf, somebody, type World } from './acts.ts'
import type { Cluster } from './cluster.ts'
import { otherSpelling } from './ranges.ts'
import { writeFelix } from './felix.ts'
import type { Random } from './random.ts'

/** The name of an override of ours, by its mark. */
export const anOverride = ({ felix }: Cluster, random: Random): string | undefined => {
  const names = [...felix.values()].filter(({ annotations }) => overrideKey in annotations).map(({ name }) => name)
  return names[random.between(0, Math.max(0, names.length - 1))]
}

/** Overrides are there only in the middle of a rollout: where there is none, our next write is waited for. */
const editOverride = (
  world: World,
  cluster: Cluster,
  random: Random,
  change: (object: FelixObject) => FelixObject | undefined,
): void => {
  const [name, ms] = [anOverride(cluster, random), random.between(500, 60_000)]
  if (name !== undefined) return edit(world, cluster, { name, change })
  world.armed.wrote.push((where) =>
    world.stage.schedule.after(ms, () => edit(world, where, { name: anOverride(where, random) ?? '', change })),
  )
}

/** What people and other programs do with the objects and with the Lease. */
export const edits: Record<string, Disturbance> = {
  'somebody edits default': (world, cluster, random) =>
    edit(world, cluster, {
      name: 'default',
      change: (object) => annotated(object, { [rangeKey]: `3${random.between(1, 3)}000:32000` }),
    }),
  'somebody changes an override': (world, cluster, random) =>
    editOverride(world, cluster, random, (object) => annotated(object, { [rangeKey]: '31500:32000' })),
  'somebody deletes an override': (world, cluster, random) => editOverride(world, cluster, random, () => undefined),
  /** The object is not as we wrote it any more. */
  'somebody adds a setting to an override': (world, cluster, random) =>
    editOverride(world, cluster, random, (object) => {
      const tables = [{ min: 1, max: 250 }]
      const setting = random.pick<object>([{ logSeverityScreen: 'Debug' }, { routeTableRanges: tables }])
      return { ...object, spec: { ...object.spec, ...setting } }
    }),
  'somebody takes back what was just written': (world, _, random) => {
    const [seconds, isDeleted] = [random.between(1, 20), random.chance(0.5)]
    const change = (object: FelixObject) => (isDeleted ? undefined : annotated(object, { [rangeKey]: '31500:32000' }))
    world.armed.wrote.push((where) =>
      world.stage.schedule.after(seconds * 1000, () =>
        edit(world, where, { name: anOverride(where, random) ?? 'default', change }),
      ),
    )
  },
  'somebody gives a node a range of its own': (world, cluster, random) => {
    const name = `node.${machineOf(cluster, random)?.name}`
    if (cluster.felix.has(name)) return
    const [annotations, spec] = random.pick<[Record<string, string>, Record<string, unknown>]>([
      [{ [rangeKey]: '31000:32000' }, {}],
      [{ [otherSpelling]: '31000:32000' }, {}],
      [{}, { kubeNodePortRanges: ['31000:32000'] }],
    ])
    const after = felixObject({ name, uid: `uid-${name}-theirs`, annotations, spec })
    writeFelix(world.stage, world.onlooker, { cluster, writer: somebody, name, after })
  },
  'somebody writes at the same time': (world, _, random) => {
    const [range, isRange] = [`3${random.between(1, 3)}500:32500`, random.chance(0.5)]
    world.armed.writing.push((where, name) =>
      edit(world, where, {
        name,
        change: (object) => annotated(object, isRange ? { [rangeKey]: range } : { team: 'platform' }),
      }),
    )
  },
  'somebody writes the Lease at the same time': (world) => {
    world.armed.leasing.push((cluster) => leaseEdited(world, cluster, { team: 'platform' }))
  },
  'the Lease is deleted': ({ stage, onlooker }, cluster) => {
    const { lease } = cluster
    cluster.lease = undefined
    stage.note('somebody', `${cluster.ref.name}: deletes the Lease`)
    onlooker.leased(cluster, somebody, lease)
  },
  'the Lease is renewed in the future': (world, cluster, random) =>
    leaseEdited(
      world,
      cluster,
      {},
      {
        holder: 'somebody else',
        leaseSeconds: 60,
        renewedAt: new Date(world.stage.schedule.now() + random.pick([-30_000, 60_000, 86_400_000])).toISOString(),
      },
    ),
  'the Lease names another target': (world, cluster) =>
    leaseEdited(world, cluster, { 'calico-ipvs-sync/target': '1024:65535', 'calico-ipvs-sync/state': 'running' }),
  'the Lease is garbage': (world, cluster) => leaseEdited(world, cluster, { 'calico-ipvs-sync/pace': 'fast' }),
}
