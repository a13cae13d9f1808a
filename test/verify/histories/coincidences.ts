import { type Disturbance, setRange } from './acts.ts'
import { thaw } from './call.ts'
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
    const back = portsIn(rangeIn(cluster.felix.get('default'))) ?? { min: 30000, max: 32767 }
    setRange(world, cluster, otherRange(random))
    const passed = Array.from({ length: random.between(0, 2) }, () => () => undefined)
    world.armed.wrote.push(...passed, () => setRange(world, cluster, back))
  },
  /** Whoever goes on finds nodes that were disturbed a moment ago, for a range that nobody wants any more. */
  'sync is interrupted as the range changes': (world, cluster, random) => {
    const { armed, terminals } = world
    setRange(world, cluster, otherRange(random))
    const interrupt = terminals.sync(cluster, { seconds: 1_800, killed: false })
    const passed = Array.from({ length: random.between(0, 2) }, () => () => undefined)
    armed.wrote.push(...passed, () => {
      setRange(world, cluster, otherRange(random))
      interrupt()
    })
  },
}

const otherRange = (random: Random) => ({
  min: 30000 - random.between(1, 4) * 500,
  max: 32767 + random.between(1, 3) * 500,
})
