import { brakeTo, type Disturbance, setRange, type World } from './acts.ts'
import { thaw } from './call.ts'
import type { Cluster } from './cluster.ts'
import { portsIn, rangeIn } from './ranges.ts'
import type { Random } from './random.ts'

/** What seldom comes about by itself: two things at one moment. */
export const coincidences: Record<string, Disturbance> = {
  /** What it is about to do rests on what it read before. */
  'an evaluation stands still while another begins a rollout': (world, _, random) => {
    const { stage, armed } = world
    armed.evaluated.push((cluster, party) => {
      party.frozen = []
      stage.note(party.name, 'stands still')
      setRange(world, cluster, otherRange(random))
      armed.permitted.push(() => stage.schedule.after(random.between(0, 1_500), () => thaw(party)))
      stage.schedule.after(45_000, () => thaw(party))
    })
  },
  /** What stands in the overrides by then is not needed any more. */
  'the range changes, and back': (world, cluster, random) => {
    const former = portsIn(rangeIn(cluster.felix.get('default')))
    // One port alone has two spellings, and the invariants compare texts.
    const back = former && former.min < former.max ? former : { min: 30000, max: 32767 }
    setRange(world, cluster, otherRange(random))
    afterWrites(world, cluster, { count: random.between(1, 3), act: () => setRange(world, cluster, back) })
  },
  /** Nodes that have the range of before were disturbed as well. */
  'the range changes once more while nodes settle': (world, cluster, random) => {
    setRange(world, cluster, otherRange(random))
    const next = otherRange(random)
    afterWrites(world, cluster, { count: random.between(2, 4), act: () => setRange(world, cluster, next) })
  },
  /** Whoever goes on finds nodes that were disturbed a moment ago, for a range that nobody wants any more. */
  'sync is interrupted as the range changes': (world, cluster, random) => {
    const { terminals } = world
    setRange(world, cluster, otherRange(random))
    const interrupt = terminals.sync(cluster, { seconds: 1_800, killed: false })
    const next = otherRange(random)
    const act = () => {
      setRange(world, cluster, next)
      interrupt()
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  /** The step has read the brake by then, and has not written yet. */
  'the brake is pulled in the middle of a step': (world, _, random) => {
    const { stage, armed } = world
    const [ms, minutes] = [random.between(0, 300), random.between(1, 40)]
    const pull = () => {
      brakeTo(world, random.pick(['report', 'off']))
      stage.schedule.after(minutes * 60_000, () => brakeTo(world, 'sync'))
    }
    armed.look.push(() => stage.schedule.after(ms, pull))
  },
}

/** After so many writes of ours in the cluster. */
export const afterWrites = (
  { armed }: World,
  cluster: Cluster,
  { count, act }: { count: number; act: () => void },
): void => {
  const wait = (left: number): void =>
    void armed.wrote.push((where) => {
      if (where !== cluster) wait(left)
      else if (left > 1) wait(left - 1)
      else act()
    })
  wait(count)
}

export const otherRange = (random: Random) => ({
  min: 30000 - random.between(1, 4) * 500,
  max: 32767 + random.between(1, 3) * 500,
})
