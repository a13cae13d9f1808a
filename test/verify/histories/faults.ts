import type { Random } from './random.ts'

/** What may happen to a call. `late`: carried out after the caller gave up. */
export type CallFault =
  | 'throttled'
  | 'failed'
  | 'slow'
  | 'no answer'
  | 'done, no answer'
  | 'late'
  | 'dies before'
  | 'dies after'

export interface Faults {
  /** The fate of one call; undefined: nothing happens to it. */
  ofCall: (what: string, isWrite: boolean) => CallFault | undefined
  /** Any other fault: `what` names its kind. */
  happens: (what: string, chance: number) => boolean
  /** Nothing more goes wrong. */
  stop: () => void
  /** Ids of those that happened, in order: with fewer of them a failing history is shrunk. */
  happened: () => string[]
  counts: () => Record<string, number>
}

const onWrites = [
  'throttled',
  'failed',
  'slow',
  'no answer',
  'done, no answer',
  'late',
  'dies before',
  'dies after',
] as const
const onReads = ['throttled', 'failed', 'slow', 'no answer', 'dies before', 'dies after'] as const

/**
 * Chances of faults have a stream of their own, and each is drawn whether or not it may happen: so a history with
 * fewer faults is the same up to the first that is missing.
 */
export const faultsOf = (random: Random, kept: ReadonlySet<string> | undefined): Faults => {
  const often = random.pick([0, 0.002, 0.005, 0.01, 0.02, 0.05])
  const happened: string[] = []
  const counts: Record<string, number> = {}
  let [opportunity, stopped] = [0, false]
  const may = (what: string): boolean => {
    const id = `${opportunity}`
    if (stopped || (kept && !kept.has(id))) return false
    happened.push(id)
    counts[what] = (counts[what] ?? 0) + 1
    return true
  }
  return {
    ofCall: (_, isWrite) => {
      opportunity += 1
      const [strikes, fault] = [random.chance(often), random.pick(isWrite ? onWrites : onReads)]
      return strikes && may(fault) ? fault : undefined
    },
    happens: (what, chance) => {
      opportunity += 1
      return random.chance(chance) && may(what)
    },
    stop: () => void (stopped = true),
    happened: () => happened,
    counts: () => counts,
  }
}
