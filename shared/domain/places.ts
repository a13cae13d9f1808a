import type { ReadFailure } from './read.ts'

export interface Place {
  account: string
  region: string
}

/** The record of one account and region: its clusters, or why they are not known. */
export interface PlaceRow extends Place {
  /** The id (the scheduled time) of the last sweep that finished this place; empty: none did. */
  sweep: string
  /** The clusters of the last successful list. */
  clusters: string[]
  /** Not in that list any more, but their records have not ended yet: they are evaluated until EKS says that they are gone. */
  leaving?: string[]
  /** Absent: the place could be listed. Else its clusters are `unknown`, with the reason. */
  unlisted?: Unlisted
  /** A notice that is to be sent. It is recorded before it is sent, so that it is sent later if the function ends in between. */
  owed?: Owed
}

export type Owed = { what: 'unlisted' } | { what: 'listed again'; since: string }

export interface Unlisted {
  since: string
  /** The last sweep that could not list the place, and the number of such sweeps. */
  sweep: string
  sweeps: number
  cause: Cause
  message: string
  /** A notice about it was sent or is about to be sent. */
  told: boolean
}

/**
 * Each cause is fixed in a different place. `not-done`: the function did not finish listing the place during a whole
 * sweep.
 */
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

/** Causes that may be temporary. */
export const isTemporary = (cause: Cause): boolean => cause === 'throttled' || cause === 'unreachable'

/** The number of consecutive failed sweeps after which a notice is sent. */
const lastingSweeps = 2

/** A place that this sweep cannot list. `isDone`: the sweep does not try it again. */
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
  { sweep, clusters, leaving }: { sweep: string; clusters: string[]; leaving: string[] },
): PlaceRow => ({
  account,
  region,
  sweep,
  clusters,
  ...(leaving.length > 0 && { leaving }),
  ...(unlisted?.told && { owed: { what: 'listed again', since: unlisted.since } }),
})

export const withoutOwed = ({ owed: _paid, ...row }: PlaceRow): PlaceRow => row

/** A fleet that shrank by more than this is suspicious. */
export const hasShrunk = (before: number, now: number): boolean => now < before * 0.9
