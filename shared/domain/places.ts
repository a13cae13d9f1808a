import type { ReadFailure } from './read.ts'

export interface Place {
  account: string
  region: string
}

/** What is on record of one account and region: which clusters it has, or why nobody knows. */
export interface PlaceRow extends Place {
  /** The last sweep that was done with it, by its id, which is the time of its schedule; empty: none was. */
  sweep: string
  /** As it was last listed. */
  clusters: string[]
  /** Absent: it could be listed. Else its clusters are not known: `unknown`, with the reason. */
  unlisted?: Unlisted
  /** What people are to hear and may not have been told yet: on record before it is told, so that a function that ends owes it. */
  owed?: Owed
}

export type Owed = { what: 'unlisted' } | { what: 'listed again'; since: string }

export interface Unlisted {
  since: string
  /** The last sweep that found it so, and how many have. */
  sweep: string
  sweeps: number
  cause: Cause
  message: string
  /** People were told that it lasts, or are about to be. */
  told: boolean
}

/** Each is mended by somebody else, somewhere else. `not-done`: the function that lists did not end for it in a whole sweep. */
export type Cause =
  | 'no-role'
  | 'sts-denied'
  | 'unauthenticated'
  | 'denied'
  | 'unreachable'
  | 'throttled'
  | 'malformed'
  | 'not-done'

export const placeKey = ({ account, region }: Place): string => `${account}/${region}`

export const causeOf = ({ kind, object }: ReadFailure): Cause => {
  if (object === 'sts:AssumeRole' && (kind === 'denied' || kind === 'unauthenticated')) return 'sts-denied'
  return kind === 'unavailable' ? 'throttled' : kind
}

/** What may be over in a minute. */
export const isPassing = (cause: Cause): boolean => cause === 'throttled' || cause === 'unreachable'

/** Sweeps in a row after which people are told. */
const lastingSweeps = 2

/** A place that this sweep cannot list. `isDone`: it is not tried again before the next one. */
export const withFailure = (
  before: PlaceRow,
  { sweep, at, cause, message, isDone }: { sweep: string; at: string; cause: Cause; message: string; isDone: boolean },
): PlaceRow & { unlisted: Unlisted } => {
  const { since = at, sweeps = 0, sweep: last, told = false } = before.unlisted ?? {}
  const unlisted = { since, sweep, sweeps: last === sweep ? sweeps : sweeps + 1, cause, message, told }
  return { ...before, sweep: isDone ? sweep : before.sweep, unlisted }
}

/** When it has lasted, people are owed a word of it, once. */
export const withWord = (row: PlaceRow & { unlisted: Unlisted }): PlaceRow =>
  row.unlisted.told || row.unlisted.sweeps < lastingSweeps
    ? row
    : { ...row, unlisted: { ...row.unlisted, told: true }, owed: { what: 'unlisted' } }

/** Who heard that it could not be listed is owed a word that it can. */
export const withClusters = (
  { account, region, unlisted }: PlaceRow,
  { sweep, clusters }: { sweep: string; clusters: string[] },
): PlaceRow => ({
  account,
  region,
  sweep,
  clusters,
  ...(unlisted?.told && { owed: { what: 'listed again', since: unlisted.since } }),
})

export const withoutOwed = ({ owed: _paid, ...row }: PlaceRow): PlaceRow => row

/** Of a fleet that was larger, so much less is no everyday change. */
export const hasShrunk = (before: number, now: number): boolean => now < before * 0.9
