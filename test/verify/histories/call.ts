import type { Stage } from './stage.ts'

/** A function at work on one message, or a person at a terminal. */
export interface Party {
  name: string
  kind: 'function' | 'terminal'
  /** Killed: nothing that it waits for is answered any more. */
  dead: boolean
  /** When it is stopped. */
  until: number
  /** Its clock is so many milliseconds ahead. */
  skew: number
  now: () => Date
  /** The message that it works on: about which of the clusters that have had the name. */
  incarnation?: string | undefined
  /** Its last write was refused: after so many seconds it may be tried again. */
  refusedFor?: number
  /** It stands still: its calls wait here. */
  frozen?: (() => void)[]
}

/** It goes on. */
export const thaw = (party: Party): void => {
  const waiting = party.frozen ?? []
  delete party.frozen
  for (const go of waiting) go()
}

export const partyOf = (
  { schedule }: Stage,
  { name, kind, seconds, skew }: Pick<Party, 'name' | 'kind' | 'skew'> & { seconds: number },
): Party => ({
  name,
  kind,
  dead: false,
  until: schedule.now() + seconds * 1000,
  skew,
  now: () => new Date(schedule.now() + skew),
})

export interface Call<T> {
  what: string
  isWrite: boolean
  /** What the service does, and its answer. */
  effect: () => T
  /** How the service says no before it does anything, and how a call ends that nobody answers. */
  errors: { throttled: () => Error; failed: () => Error; lost: () => Error }
}

/** After this the client gives up. */
const givenUpMs = 8_000

/**
 * One call of a service: answered some milliseconds later, or whatever the seed says instead. What was sent is carried
 * out even where the caller is dead by then.
 */
export const call = <T>(stage: Stage, party: Party, asked: Call<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const { what, isWrite, effect, errors } = asked
    if (party.frozen) return void party.frozen.push(() => void call(stage, party, asked).then(resolve, reject))
    const { schedule, random, note } = stage
    if (isOver(stage, party)) return
    stage.calls?.told(party.name, what)
    const fault = stage.faults.ofCall(what, isWrite)
    const ms = fault === 'slow' ? random.between(2_000, 7_000) : (stage.calls?.ms ?? random.between(5, 120))
    if (fault) {
      note(party.name, `${what}: ${fault}`)
      stage.struck.add(party.name)
    }
    const answer = (settle: () => void) => {
      if (!isOver(stage, party)) settle()
    }
    const carryOut = (): (() => void) => {
      try {
        const value = effect()
        return () => resolve(value)
      } catch (error) {
        return () => reject(error)
      }
    }
    const die = () => void (party.dead = true)
    const giveUp = () => schedule.after(givenUpMs, () => answer(() => reject(errors.lost())))
    switch (fault) {
      case 'throttled':
      case 'failed':
        return schedule.after(ms, () => answer(() => reject(errors[fault]())))
      case 'no answer':
        return giveUp()
      case 'done, no answer':
        schedule.after(ms, () => void carryOut())
        return giveUp()
      case 'late':
        giveUp()
        return schedule.after(givenUpMs + random.between(50, 4_000), () => void carryOut())
      case 'dies before':
        return die()
      case 'dies after':
        die()
        return schedule.after(ms, () => void carryOut())
      case 'slow':
      case undefined:
        return schedule.after(ms, () => {
          const settle = carryOut()
          answer(settle)
        })
    }
  })

const isOver = ({ schedule, struck }: Stage, party: Party): boolean => {
  if (schedule.now() > party.until) {
    party.dead = true
    struck.add(party.name)
  }
  return party.dead
}
