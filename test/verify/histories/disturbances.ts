import type { FelixObject } from '../../../shared/domain/cluster.ts'
import type { Action, Policy } from '../../../shared/domain/policy/policy.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { felixObject, rangeKey } from '../../domain/states.ts'
import { type Cluster, clusterOf, join, type Machine, rangeText, type Writer, writeFelix } from './cluster.ts'
import type { Fleet } from './fleet.ts'
import type { Onlooker } from './invariants.ts'
import type { Random } from './random.ts'
import type { Stage } from './stage.ts'
import type { Terminals } from './terminal.ts'

export interface World {
  stage: Stage
  fleet: Fleet
  onlooker: Onlooker
  terminals: Terminals
  policy: Policy
  /** EventBridge may lose, delay or double it. */
  event: (cluster: Cluster, name: string) => void
}

type Disturbance = (world: World, cluster: Cluster, random: Random) => void

const somebody: Writer = { name: 'somebody', kind: 'others' }

export const setRange = (world: World, cluster: Cluster, { min, max }: { min: number; max: number }): void => {
  const page = world.onlooker.page(cluster)
  const last = page.wanted.at(-1)
  if (last) last.until = world.stage.schedule.now()
  cluster.eks = { ...cluster.eks, serviceNodePortRange: { min, max } }
  page.wanted.push({ range: rangeText(cluster), until: Infinity })
  page.restarts.clear()
  world.stage.note('EKS', `${cluster.ref.name}: the range is ${min}-${max}`)
  world.event(cluster, 'UpdateClusterConfig')
}

const machineOf = (cluster: Cluster, random: Random): Machine | undefined =>
  [...cluster.machines.values()][random.between(0, Math.max(0, cluster.machines.size - 1))]

/** Changes one object, if it is there. */
const edit = (
  { stage, onlooker }: World,
  cluster: Cluster,
  { name, change }: { name: string; change: (object: FelixObject) => FelixObject | undefined },
): void => {
  const object = cluster.felix.get(name)
  if (object) writeFelix(stage, onlooker, { cluster, writer: somebody, name, after: change(object) })
}

const annotated = (object: FelixObject, annotations: Record<string, string>): FelixObject => ({
  ...object,
  annotations: { ...object.annotations, ...annotations },
})

const anOverride = (cluster: Cluster, random: Random): string | undefined => {
  const names = [...cluster.felix.keys()].filter((name) => name !== 'default')
  return names[random.between(0, Math.max(0, names.length - 1))]
}

const leaseEdited = (
  { stage, onlooker }: World,
  cluster: Cluster,
  annotations: Record<string, string>,
  over = {},
): void => {
  const { lease } = cluster
  if (!lease) return
  cluster.versions += 1
  const known = { ...lease.annotations, ...annotations }
  cluster.lease = { ...lease, ...over, resourceVersion: `${cluster.versions}`, annotations: known }
  stage.note('somebody', `${cluster.ref.name}: edits the Lease: ${JSON.stringify({ ...annotations, ...over })}`)
  onlooker.leased(cluster, somebody, lease)
}

export const brakeTo = ({ fleet, stage }: World, most: Action): void => {
  Object.assign(fleet.position, { most, since: stage.schedule.now() })
  stage.note('somebody', `sets the brake to ${most}`)
}

export const tagTo = (world: World, cluster: Cluster, action: Action | undefined): void => {
  const { stage, onlooker } = world
  cluster.eks = { ...cluster.eks, tags: action ? { 'calico-ipvs-sync': action } : {} }
  const page = onlooker.page(cluster)
  page.switchedAt = stage.schedule.now()
  page.forbiddenSince = action && action !== 'sync' ? stage.schedule.now() : undefined
  stage.note('somebody', `${cluster.ref.name}: tag ${action ?? 'removed'}`)
  world.event(cluster, 'TagResource')
}

export const makeAgain = (world: World, cluster: Cluster): void => {
  const { stage, fleet } = world
  cluster.exists = false
  fleet.clusters.delete(clusterKey(cluster.ref))
  stage.note('somebody', `${cluster.ref.name} is deleted`)
  world.event(cluster, 'DeleteCluster')
  stage.schedule.after(stage.random.between(5, 900) * 1000, () => {
    const { serviceNodePortRange: range = { min: 30000, max: 32767 } } = cluster.eks
    const generation = cluster.generation + 1
    const again = clusterOf(stage, { ref: cluster.ref, generation, nodes: cluster.machines.size, range, missed: false })
    fleet.clusters.set(clusterKey(cluster.ref), again)
    world.onlooker.page(again)
    stage.note('somebody', `${cluster.ref.name} is made again`)
    world.event(again, 'CreateCluster')
  })
}

/** Whatever people, nodes and other programs do in the middle of it. */
export const disturbances: Record<string, Disturbance> = {
  'the range changes': (world, cluster, random) => {
    const min = 30000 - random.between(0, 3) * 1000
    setRange(world, cluster, { min, max: 32767 + random.between(0, 2) * 500 })
  },
  'EKS updates the cluster': (world, cluster, random) => {
    cluster.eks = { ...cluster.eks, status: 'UPDATING' }
    world.event(cluster, 'UpdateClusterVersion')
    world.stage.schedule.after(random.between(30, 600) * 1000, () => {
      cluster.eks = { ...cluster.eks, status: 'ACTIVE' }
      world.event(cluster, 'UpdateClusterVersion')
    })
  },
  'a node joins': ({ stage }, cluster) => join(stage, cluster, `node-9${cluster.versions}`),
  'a node leaves': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine || cluster.machines.size < 2) return
    cluster.machines.delete(machine.name)
    stage.note('autoscaler', `${cluster.ref.name}: ${machine.name} leaves`)
  },
  'a node is replaced under its name': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine || cluster.machines.size < 2) return
    cluster.machines.delete(machine.name)
    stage.note('autoscaler', `${cluster.ref.name}: ${machine.name} leaves`)
    stage.schedule.after(random.between(20, 240) * 1000, () => join(stage, cluster, machine.name))
  },
  'a kubelet is silent': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine) return
    Object.assign(machine, { ready: false, readySince: stage.iso() })
    stage.note('kubelet', `${cluster.ref.name}: ${machine.name} is silent`)
    stage.schedule.after(random.between(60, 900) * 1000, () =>
      Object.assign(machine, { ready: true, readySince: stage.iso() }),
    )
  },
  'a node breaks on the range': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine) return
    machine.breaksOn = random.pick([rangeText(cluster), '30000:33000', '30000:33000'])
    stage.note('node', `${cluster.ref.name}: Felix on ${machine.name} would not come up with ${machine.breaksOn}`)
  },
  'somebody edits default': (world, cluster, random) =>
    edit(world, cluster, {
      name: 'default',
      change: (object) => annotated(object, { [rangeKey]: `3${random.between(1, 3)}000:32000` }),
    }),
  'somebody changes an override': (world, cluster, random) =>
    edit(world, cluster, {
      name: anOverride(cluster, random) ?? '',
      change: (object) => annotated(object, { [rangeKey]: '31500:32000' }),
    }),
  'somebody deletes an override': (world, cluster, random) =>
    edit(world, cluster, { name: anOverride(cluster, random) ?? '', change: () => undefined }),
  'somebody gives a node a range of its own': (world, cluster, random) => {
    const name = `node.${machineOf(cluster, random)?.name}`
    if (cluster.felix.has(name)) return
    const after = felixObject({ name, uid: `uid-${name}-theirs`, annotations: { [rangeKey]: '31000:32000' } })
    writeFelix(world.stage, world.onlooker, { cluster, writer: somebody, name, after })
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
  'the brake is pulled': (world, _, random) => {
    brakeTo(world, random.pick(['report', 'off']))
    world.stage.schedule.after(random.between(60, 2_400) * 1000, () => brakeTo(world, 'sync'))
  },
  'a tag switches the cluster off': (world, cluster, random) => {
    tagTo(world, cluster, random.pick(['report', 'off']))
    world.stage.schedule.after(random.between(60, 2_400) * 1000, () => tagTo(world, cluster, undefined))
  },
  'the cluster is made again': (world, cluster) => makeAgain(world, cluster),
  'sync at a terminal': ({ terminals }, cluster, random) =>
    terminals.sync(cluster, { seconds: random.between(20, 1_800), killed: random.chance(0.5) }),
  pause: ({ terminals }, cluster) => terminals.say(cluster, 'pause'),
  resume: ({ terminals }, cluster, random) => terminals.say(cluster, 'resume', random.chance(0.3)),
  abort: ({ terminals }, cluster) => terminals.say(cluster, 'abort'),
}
