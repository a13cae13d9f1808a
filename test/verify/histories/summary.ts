import type { History } from './history.ts'

export interface Failure {
  seed: number
  invariant: string
  /** Ids of the faults that are needed for it. */
  shrunk: string[]
}

export interface Summary {
  seeds: number
  events: number
  faults: Record<string, number>
  invariants: Record<string, number>
  failures: Failure[]
  seconds: number
}

export const emptySummary = (): Summary => ({
  seeds: 0,
  events: 0,
  faults: {},
  invariants: {},
  failures: [],
  seconds: 0,
})

const addAll = (to: Record<string, number>, from: Record<string, number>): void => {
  for (const [name, count] of Object.entries(from)) to[name] = (to[name] ?? 0) + count
}

export const add = (
  summary: Summary,
  { events, faults, checked }: Pick<History, 'events' | 'faults' | 'checked'>,
): void => {
  summary.seeds += 1
  summary.events += events
  addAll(summary.faults, faults)
  addAll(summary.invariants, checked)
}

export const merge = (summary: Summary, part: Summary): void => {
  summary.seeds += part.seeds
  summary.events += part.events
  addAll(summary.faults, part.faults)
  addAll(summary.invariants, part.invariants)
  summary.failures.push(...part.failures)
}
