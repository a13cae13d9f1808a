import type { LogLines } from '../../../shared/clients/aws/log-lines.ts'
import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { overrideKey } from '../../../shared/domain/rollout/annotations.ts'
import type { Action } from '../../../shared/domain/policy/policy.ts'
import { clusterKey } from '../../../shared/messages.ts'
import { type Cluster, clusterOf, type Machine, type Writer } from './cluster.ts'
import { rangeText } from './ranges.ts'
import type { Party } from './call.ts'
import type { Deployment } from './deployment.ts'
import { writeFelix } from './felix.ts'
import type { Fleet } from './fleet.ts'
import type { Onlooker } from './invariants.ts'
import { disown } from './ledger.ts'
import type { Queues } from './queues.ts'
import type { Random } from './random.ts'
import type { Stage } from './stage.ts'
import type { Terminals } from './terminal.ts'

export interface World {
  stage: Stage
  fleet: Fleet
  onlooker: Onlooker
  terminals: Terminals
  deployment: Deployment
  queues: Queues
  /** EventBridge may lose, delay or double it. */
  event: (cluster: Cluster, name: string) => void
  /** Any event, as it is. */
  hear: (event: object) => void
  hearLog: (lines: LogLines) => void
  /** A line of the API server's audit log, which says who wrote which FelixConfiguration. */
  audit: (cluster: Cluster, name: string) => void
  /** Acts that wait for a moment of ours. */
  armed: Armed
}

/**
 * Coincidences do not come by chance alone: `look`: one of us has read the objects for a step · `writing`: a write of ours
 * is on its way (with the object's name) · `leasing`: so is one of the Lease · `leased`: it has arrived, which all are told who
 * wait for it · `wrote`: a write has arrived · `evaluated`: a function has read the objects to evaluate a cluster · `permitted`: a cluster has got a permit.
 */
export interface Armed {
  look: ((cluster: Cluster) => void)[]
  writing: ((cluster: Cluster, name: string) => void)[]
  leasing: ((cluster: Cluster) => void)[]
  leased: ((cluster: Cluster) => void)[]
  wrote: ((cluster: Cluster) => void)[]
  evaluated: ((cluster: Cluster, party: Party) => void)[]
  permitted: (() => void)[]
}

export type Disturbance = (world: World, cluster: Cluster, random: Random) => void

export const machineOf = (cluster: Cluster, random: Random): Machine | undefined =>
  [...cluster.machines.values()][random.between(0, Math.max(0, cluster.machines.size - 1))]

export const somebody: Writer = { name: 'somebody', kind: 'others' }

export const setRange = (world: World, cluster: Cluster, { min, max }: { min: number; max: number }): void => {
  const page = world.onlooker.page(cluster)
  const last = page.wanted.at(-1)
  if (last) last.until = world.stage.schedule.now()
  cluster.eks = { ...cluster.eks, serviceNodePortRange: { min, max } }
  page.wanted.push({ range: rangeText(cluster), until: Infinity })
  page.restarts.clear()
  for (const machine of cluster.machines.values()) {
    const object = cluster.felix.get(`node.${machine.name}`)
    if (object && !(overrideKey in object.annotations)) disown(page, machine)
  }
  world.stage.note('EKS', `${cluster.ref.name}: the range is ${min}-${max}`)
  world.event(cluster, 'UpdateClusterConfig')
}

/** Changes one object, if it is there. `undefined`: deletes it. */
export const edit = (
  { stage, onlooker, audit }: World,
  cluster: Cluster,
  { name, change }: { name: string; change: (object: FelixObject) => FelixObject | undefined },
): void => {
  const object = cluster.felix.get(name)
  if (!object) return
  writeFelix(stage, onlooker, { cluster, writer: somebody, name, after: change(object) })
  audit(cluster, name)
}

export const annotated = (object: FelixObject, annotations: Record<string, string>): FelixObject => ({
  ...object,
  annotations: { ...object.annotations, ...annotations },
})

export const leaseEdited = (
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

export const brakeTo = ({ deployment, stage }: World, most: Action): void => {
  Object.assign(deployment.brake, { most, since: stage.schedule.now() })
  stage.note('somebody', `sets the brake to ${most}`)
}

export const alarmTo = ({ deployment, stage }: World, rings: boolean): void => {
  Object.assign(deployment.alarm, { rings, since: stage.schedule.now() })
  stage.note('CloudWatch', rings ? 'the alarm rings' : 'the alarm is over')
}

export const tagTo = (world: World, cluster: Cluster, action: Action | undefined): void => {
  const { stage, onlooker } = world
  const { 'calico-ipvs-sync': _tag, ...tags } = cluster.eks.tags
  cluster.eks = { ...cluster.eks, tags: { ...tags, ...(action && { 'calico-ipvs-sync': action }) } }
  const page = onlooker.page(cluster)
  page.switchedAt = stage.schedule.now()
  page.forbiddenSince = action && action !== 'sync' ? stage.schedule.now() : undefined
  stage.note('somebody', `${cluster.ref.name}: tag ${action ?? 'removed'}`)
  world.event(cluster, 'TagResource')
}

export const makeAgain = (world: World, cluster: Cluster): void => {
  const { stage } = world
  const { random } = stage
  cluster.eks = { ...cluster.eks, status: 'DELETING' }
  const ends = random.chance(0.5) ? 0 : random.between(1, 200)
  if (ends > 0) world.event(cluster, 'DeleteCluster')
  stage.schedule.after(ends * 1000, () => {
    if (cluster.exists) replace(world, cluster)
  })
}

const replace = (world: World, cluster: Cluster): void => {
  const { stage, fleet } = world
  const { random } = stage
  cluster.exists = false
  fleet.clusters.delete(clusterKey(cluster.ref))
  stage.note('somebody', `${cluster.ref.name} is deleted`)
  world.event(cluster, 'DeleteCluster')
  // Half of them while a message about the earlier one still waits.
  const seconds = random.chance(0.5) ? random.between(1, 40) : random.between(5, 900)
  stage.schedule.after(seconds * 1000, () => {
    const { serviceNodePortRange: range = { min: 30000, max: 32767 } } = cluster.eks
    const generation = cluster.generation + 1
    const { ref, machines, nature } = cluster
    const again = clusterOf(stage, {
      ref,
      generation,
      nodes: machines.size,
      range,
      nature: { ...nature, missed: false },
    })
    fleet.clusters.set(clusterKey(cluster.ref), again)
    world.onlooker.page(again)
    stage.note('somebody', `${cluster.ref.name} is made again`)
    world.event(again, 'CreateCluster')
    if (random.chance(0.5)) return
    again.eks = { ...again.eks, status: 'CREATING' }
    stage.schedule.after(random.between(10, 200) * 1000, () => void (again.eks = { ...again.eks, status: 'ACTIVE' }))
  })
}
