import type { Ground } from './ground.ts'

/** What packets do, before and after something is done. */
export interface Claim {
  claim: string
  /** What was done in between, as a reader would type it. */
  command: string
  before: string
  after: string
  holds: boolean
}

export interface Chapter {
  /** As `--only` takes it. */
  name: string
  title: string
  prove: (ground: Ground, claim: (claim: Claim) => void, measured: (table: Measured) => void) => Promise<void>
}

/** Figures, as a table for people. */
export interface Measured {
  title: string
  head: string[]
  rows: string[][]
}

export const list = (outcomes: readonly string[]): string => {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return [...counts].map(([outcome, count]) => (count === 1 ? outcome : `${count} × ${outcome}`)).join(', ')
}
