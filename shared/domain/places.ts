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
}

export interface Unlisted {
  since: string
  /** The last sweep that found it so, and how many have. */
  sweep: string
  sweeps: number
  cause: Cause
  message: string
  /** People were told that it lasts. */
  told: boolean
}

/** Each is mended by somebody else, somewhere else. */
export type Cause = 'no-role' | 'sts-denied' | 'unauthenticated' | 'denied' | 'unreachable' | 'throttled' | 'malformed'

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

export const isToTell = ({ told, sweeps }: Unlisted): boolean => !told && sweeps >= lastingSweeps

export const withClusters = (
  { account, region }: PlaceRow,
  { sweep, clusters }: { sweep: string; clusters: string[] },
): PlaceRow => ({ account, region, sweep, clusters })

/** Of a fleet that was larger, so much less is no everyday change. */
export const hasShrunk = (before: number, now: number): boolean => now < before * 0.9
