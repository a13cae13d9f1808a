import { disturb, ring, vandalize } from './chance.ts'
import { checkEnd, permitsComeHome } from './ends.ts'
import { mend } from './mend.ts'
import { checkReaders } from './readers.ts'
import { begin } from './scene.ts'
import { beginning, eventsAtMost, type Fall, type Line, type Stage, stageOf } from './stage.ts'

export interface History {
  seed: number
  events: number
  faults: Record<string, number>
  /** Ids of the faults that happened. */
  happened: string[]
  checked: Record<string, number>
  falls: Fall[]
  story: Line[]
  hash: string
  dead: number
  notices: number
}

const hour = 3_600_000
/** Faults happen within the first hours. */
const stormMs = 2 * hour
/** After an abort, and after a value that was taken back, a day must pass; then a window must open. */
const calmMs = 40 * hour
const toOpenMs = 4 * hour
/** The first moment at which all may be well again, and how often it is looked at: between two sweeps. */
const firstLookMs = 2 * hour
const nextLookMs = 4 * hour

/** One history, from its seed alone. `kept`: only these of its faults happen. */
export const play = async (seed: number, kept?: ReadonlySet<string>): Promise<History> => {
  const stage = stageOf(seed, kept)
  const { schedule, faults } = stage
  const calmSince = beginning + stormMs
  const { world, ended, start, skew, hasWindows } = begin(stage, calmSince)
  disturb(world, stormMs)
  vandalize(world, stormMs)
  ring(world)
  await schedule.run(calmSince)
  faults.stop()
  for (const acts of Object.values(world.armed)) acts.length = 0
  stage.note('all', 'nothing more goes wrong')
  mend(world)
  // By clocks that differ, a permit may look as if it was asked for after the end: then it stays until it expires.
  if (skew < 1_000) permitsComeHome(stage, ended)
  const until = calmSince + calmMs + (hasWindows ? toOpenMs : 0)
  for (let at = calmSince + firstLookMs; at < until && stage.falls.length === 0; at += nextLookMs) {
    await schedule.run(at)
    if (!isMissing(stage, ended)) break
  }
  const isEndless = schedule.events() > eventsAtMost
  stage.check('work comes to an end', isEndless ? `${schedule.events()} events` : undefined)
  if (stage.falls.length === 0) checkEnd(stage, ended)
  if (stage.falls.length === 0 && stage.random.chance(0.2)) await checkReaders(stage, ended, start)
  return {
    seed,
    events: schedule.events(),
    faults: faults.counts(),
    happened: faults.happened(),
    checked: Object.fromEntries(stage.checked),
    falls: stage.falls,
    story: stage.story,
    hash: stage.hash(),
    dead: ended.queues.dead.length,
    notices: ended.published.length,
  }
}

/** Something is not yet as it must be in the end. */
const isMissing = (stage: Stage, ended: Parameters<typeof checkEnd>[1]): boolean => {
  let missing = false
  checkEnd({ ...stage, check: (_, what) => void (missing ||= what !== undefined) }, ended)
  return missing
}
