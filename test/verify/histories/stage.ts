import { createHash } from 'node:crypto'
import { type Faults, faultsOf } from './faults.ts'
import { type Random, randomOf } from './random.ts'
import { type Schedule, scheduleFrom } from './schedule.ts'

/** Who did what when: a line of the story. */
export interface Line {
  at: number
  who: string
  what: string
}

/** An invariant that did not hold. */
export interface Fall {
  invariant: string
  at: number
  what: string
}

/** What all parts of one history share. */
export interface Stage {
  seed: number
  random: Random
  schedule: Schedule
  faults: Faults
  iso: () => string
  note: (who: string, what: string) => void
  /** Counts that an invariant was looked at. `what`: how it fell; absent: it holds. */
  check: (invariant: string, what?: string) => void
  story: Line[]
  falls: Fall[]
  checked: Map<string, number>
  /** Names of the functions and terminals that a fault struck. */
  struck: Set<string>
  /** Told of each call that a party makes of a service, which is answered after so many milliseconds; absent: as the seed says. */
  calls?: { told: (party: string, what: string) => void; ms: number }
  /** Of everything that happened, in order. */
  hash: () => string
}

export const beginning = Date.parse('2026-11-20T10:00:00Z')

/** Several times as many as a long history has: work that does not come to an end. */
export const eventsAtMost = 20_000

/** `kept`: the faults that may happen; absent: all that the seed draws. `most`: events. `spent`: as of a schedule. */
export const stageOf = (
  seed: number,
  kept: ReadonlySet<string> | undefined,
  { most = eventsAtMost, spent }: { most?: number; spent?: () => number } = {},
): Stage => {
  const [story, falls, checked] = [[] as Line[], [] as Fall[], new Map<string, number>()]
  const schedule: Schedule = scheduleFrom(beginning, () => falls.length > 0 || schedule.events() > most, spent)
  const digest = createHash('sha256')
  const note = (who: string, what: string): void => {
    story.push({ at: schedule.now(), who, what })
    digest.update(`${schedule.now()} ${who} ${what}\n`)
  }
  return {
    seed,
    random: randomOf(seed, 0),
    schedule,
    faults: faultsOf(randomOf(seed, 1), kept),
    iso: () => new Date(schedule.now()).toISOString(),
    note,
    check: (invariant, what) => {
      checked.set(invariant, (checked.get(invariant) ?? 0) + 1)
      if (what === undefined) return
      falls.push({ invariant, at: schedule.now(), what })
      note('invariant', `${invariant} fell: ${what}`)
    },
    story,
    falls,
    checked,
    struck: new Set(),
    hash: () => digest.copy().digest('hex'),
  }
}
