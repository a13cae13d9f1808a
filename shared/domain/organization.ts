import type { FleetAccount, FleetBounds } from './fleet.ts'
import type { ReadFailure } from './read.ts'

/** Which accounts of an AWS organization are of the fleet. With `units` and `tag` those that are in a unit and have the tag. */
export interface Selection {
  /** Organizational units or roots, each with all that is below it. Absent: the whole organization. */
  units?: readonly string[] | undefined
  /** What an account must be tagged with. Without `value`: with any. */
  tag?: { key: string; value?: string | undefined } | undefined
  leaveOut?: readonly string[] | undefined
}

/** Who has the tag, which is asked for account by account. */
export interface Tagging {
  /** Which tag it was: a deployment may name another. */
  tag: string
  /** The first was asked for longest ago. */
  answers: readonly (readonly [account: string, has: boolean])[]
}

/** What a sweep reads. */
export interface Found {
  accounts: readonly string[]
  /** Only where a tag is selected by. */
  tagging?: Tagging
  /** Accounts whose tags nobody has asked for yet: the next sweeps do. */
  unasked?: readonly string[]
}

/** What is on record of the organization: the accounts as a sweep last read them. */
export interface Reading {
  /** The last sweep that read, or tried to. */
  sweep: string
  accounts: readonly string[]
  /** When `accounts` were read; absent: they never were. */
  readAt?: string | undefined
  /** Absent: the last sweep could read them. */
  unread?: Unread | undefined
}

export interface Unread {
  since: string
  kind: ReadFailure['kind']
  message: string
}

/** Nothing is assumed of what could not be read: the accounts of the last reading stay as they are. */
export const unreadSince = (
  before: Reading | undefined,
  { sweep, at, failure: { kind, message } }: { sweep: string; at: string; failure: ReadFailure },
): Reading & { unread: Unread } => ({
  ...before,
  accounts: before?.accounts ?? [],
  sweep,
  unread: { since: before?.unread?.since ?? at, kind, message },
})

/**
 * The accounts that the organization adds to those of the configuration, which come first with their regions and roles. The
 * functions' own account counts only where the configuration names it: their roles may do nothing in it else.
 */
export const foundIn = (
  { own, accounts, organization }: FleetBounds & { organization?: Selection | undefined },
  reading: Pick<Reading, 'accounts'> | undefined,
): FleetAccount[] => {
  const known = new Set([own, ...accounts.map(({ account }) => account), ...(organization?.leaveOut ?? [])])
  return (reading?.accounts ?? []).filter((account) => !known.has(account)).map((account) => ({ account }))
}
