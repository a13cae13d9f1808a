import { play } from './history.ts'
import { shrink } from './shrink.ts'
import { add, emptySummary, type Summary } from './summary.ts'

export interface Run {
  from: number
  seeds: number
  /** Every so many seeds is played: several workers share them. */
  step: number
  /** Milliseconds since 1970: no history begins later. */
  until: number
}

/** Plays the histories of many seeds, and shrinks those in which an invariant fell. */
export const run = async ({ from, seeds, step, until }: Run): Promise<Summary> => {
  const summary = emptySummary()
  for (let seed = from; seed < from + seeds && Date.now() < until; seed += step) {
    const history = await play(seed)
    add(summary, history)
    const [fall] = history.falls
    if (!fall) continue
    process.stderr.write(`seed ${seed}: ${fall.invariant} fell: ${fall.what}\n`)
    const { kept } = await shrink(history)
    summary.failures.push({ seed, invariant: fall.invariant, shrunk: kept })
  }
  return summary
}
