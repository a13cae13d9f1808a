import { alarmTo, type Armed, type World } from './acts.ts'
import type { Cluster, Watch } from './cluster.ts'
import { afterWrites } from './coincidences.ts'
import { damage } from './damage.ts'
import { anyDisturbance, anyHalt, anyMisfortune } from './disturbances.ts'
import { randomOf } from './random.ts'

const minute = 60_000
/** Within it, nearly every cluster has its first rollout. */
const busyMs = 60 * minute

/** What happens by chance in the first hours: at a time, or at a moment of ours. */
export const disturb = (world: World, forMs: number): void => {
  const { stage, fleet, armed } = world
  const { random, schedule, faults } = stage
  const acts = Array.from({ length: random.pick([0, 1, 2, 3, 5, 8]) }, () => anyDisturbance(random))
  // Most histories have one of each at least.
  const misfortunes = [anyMisfortune, anyHalt].flatMap((any) =>
    Array.from({ length: random.pick([0, 1, 1, 2]) }, () => any(random)),
  )
  for (const [name, happen] of [...acts, ...misfortunes]) {
    const at = random.between(minute, random.chance(0.6) ? busyMs : forMs - minute)
    const which = random.between(0, 9)
    const moment = random.pick([undefined, 'look', 'wrote', 'wrote'] as const)
    const soon = random.chance(0.5) ? random.between(0, 400) : random.between(0, 90_000)
    const act = (given?: Cluster) => {
      const clusters = [...fleet.clusters.values()]
      const cluster = given ?? clusters[which % Math.max(1, clusters.length)]
      if (!cluster?.exists || !faults.happens(name, 1)) return
      stage.note('chance', `${name}: ${cluster.ref.name}`)
      happen(world, cluster, random)
    }
    schedule.after(at, () => {
      if (moment) armed[moment].push((cluster) => schedule.after(soon, () => act(cluster)))
      else act()
    })
  }
}

/** Late, when most is over, somebody damages what we have written, again and again. */
export const vandalize = (world: World, forMs: number): void => {
  const { stage, fleet } = world
  const { random, schedule, faults } = stage
  if (!random.chance(0.35)) return
  const names = Object.keys(damage) as [string, ...string[]]
  for (let count = random.between(3, 8); count > 0; count -= 1) {
    const [name, at, which] = [random.pick(names), forMs - random.between(minute, 25 * minute), random.between(0, 9)]
    schedule.after(at, () => {
      const clusters = [...fleet.clusters.values()]
      const cluster = clusters[which % Math.max(1, clusters.length)]
      if (cluster?.exists && faults.happens(name, 1)) damage[name]?.(world, cluster, random)
    })
  }
}

const ringing = 'the alarm rings in the middle of a rollout'

/** It seldom does so by itself. Of a stream of its own: so it changes no history in which it does not ring. */
export const ring = (world: World): void => {
  const { stage, fleet, deployment } = world
  const random = randomOf(stage.seed, 2)
  const [cluster] = fleet.clusters.values()
  if (!cluster || !random.chance(0.2)) return
  const [count, ms] = [random.between(1, 3), random.between(10, 40) * minute]
  const act = () => {
    if (!stage.faults.happens(ringing, 1)) return
    alarmTo(world, true)
    stage.schedule.after(ms, () => alarmTo(world, false))
  }
  deployment.change({ pauseOnAlarms: ['checkout-errors'] })
  afterWrites(world, cluster, { count, act })
}

/** The onlooker, those who wait for a moment of ours, and who looks at the rollout after a write. */
export const watchOf = (onlooker: Watch, armed: Armed, look: (cluster: Cluster) => void): Watch => ({
  ...onlooker,
  leased: (cluster, writer, before) => {
    onlooker.leased(cluster, writer, before)
    look(cluster)
    if (writer.kind !== 'others') for (const act of armed.leased.splice(0)) act(cluster)
  },
  looked: (cluster) => armed.look.shift()?.(cluster),
  leasing: (cluster) => armed.leasing.shift()?.(cluster),
  evaluated: (cluster, party) => armed.evaluated.shift()?.(cluster, party),
  writes: (cluster, name) => {
    if (cluster.felix.has(name)) armed.writing.shift()?.(cluster, name)
  },
  wrote: (write) => {
    onlooker.wrote(write)
    look(write.cluster)
    if (write.writer.kind !== 'others') armed.wrote.shift()?.(write.cluster)
  },
})
