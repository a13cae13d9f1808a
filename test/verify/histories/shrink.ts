import { type History, play } from './history.ts'

export interface Shrunk {
  history: History
  /** Ids of the faults that are needed. */
  kept: string[]
  runs: number
}

/** Histories that are tried at most to shrink one. */
const runsAtMost = 80

/**
 * The fewest faults with which the same invariant falls, by halves, then quarters, and so on. What happens after a fault
 * that is left out may be another story: all that counts is which invariant falls.
 */
export const shrink = async (history: History): Promise<Shrunk> => {
  const invariant = history.falls[0]?.invariant
  let best = history
  let kept = history.happened
  let runs = 0
  for (let parts = 2; kept.length > 0 && runs < runsAtMost; ) {
    const size = Math.ceil(kept.length / parts)
    let isSmaller = false
    for (let from = 0; from < kept.length && runs < runsAtMost; from += size) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)]
      runs += 1
      const tried = await play(history.seed, new Set(fewer))
      if (!tried.falls.some((it) => it.invariant === invariant)) continue
      ;[best, kept, isSmaller] = [tried, fewer, true]
      break
    }
    if (isSmaller) parts = Math.max(2, parts - 1)
    else if (size === 1) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return { history: best, kept, runs }
}
