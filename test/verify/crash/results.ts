import type { Tried } from './series.ts'

export interface Results {
  /** Runs that were tried, each with one mishap, the clean ones included. */
  points: number
  /** Of which came to their end with the cluster in step. */
  finished: number
  /** Nodes disturbed another number of times than needed. */
  doubledRestarts: number
  /** Overrides left behind. */
  orphans: number
  /** The same words twice to people, though it was on record that they had gone out. */
  duplicateNotices: number
  /** The same words twice because their sender died before it was on record. No sender can exclude that. */
  repeatedUnheard: number
  why: string
  seconds: number
  failures: { point: string; failures: string[] }[]
}

const why =
  'repeatedUnheard: the process died after the notice had gone out and before that was on record. A claim that was never ' +
  'confirmed is taken up again after five minutes, because silence would be worse than a repetition; every other ' +
  'notice goes out once.'

export const resultsOf = (tried: Tried[], seconds: number): Results => {
  const sum = (of: (it: Tried) => number) => tried.reduce((total, it) => total + of(it), 0)
  return {
    points: tried.length,
    finished: sum(({ finished }) => Number(finished)),
    doubledRestarts: sum((it) => it.doubledRestarts),
    orphans: sum((it) => it.orphans),
    duplicateNotices: sum((it) => it.duplicateNotices),
    repeatedUnheard: sum((it) => it.repeatedUnheard),
    why,
    seconds: Math.round(seconds),
    failures: tried.filter((it) => it.failures.length > 0).map(({ point, failures }) => ({ point, failures })),
  }
}
