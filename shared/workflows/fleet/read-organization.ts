import type { OrganizationRecord } from '../../clients/aws/organization-record.ts'
import type { FleetBounds } from '../../domain/fleet.ts'
import {
  type Found,
  foundIn,
  type Reading,
  type Selection,
  type Tagging,
  unreadSince,
} from '../../domain/organization.ts'
import type { Read } from '../../domain/read.ts'
import type { Log } from '../../log.ts'

export interface OrganizationTools {
  /** The accounts that are selected, or why nobody knows. `known`: the tags that earlier sweeps have read. */
  accounts: (selection: Selection, known: Tagging | undefined) => Promise<Read<Found>>
  record: OrganizationRecord
}

/**
 * The fleet with the accounts of its organization, which are read again and stored for all other functions. If they cannot be
 * read, the accounts of the last reading stay, and a log line is written that an alarm counts.
 */
export const withOrganization = async (
  { accounts, record }: OrganizationTools,
  fleet: FleetBounds & { organization?: Selection | undefined },
  { sweep, at, log }: { sweep: string; at: string; log: Log },
): Promise<FleetBounds> => {
  if (!fleet.organization) return fleet
  const [before, known] = await Promise.all([record.last(), fleet.organization.tag && record.tagging()])
  const answer = await accounts(fleet.organization, known)
  const { tagging, unasked = [] }: Partial<Found> = 'value' in answer ? answer.value : {}
  const reading: Reading =
    'value' in answer
      ? { sweep, readAt: at, accounts: withThoseBefore(answer.value, before) }
      : unreadSince(before, { sweep, at, failure: answer.failure })
  const found = foundIn(fleet, reading)
  const facts = { sweep, accounts: found.length, before: before?.readAt && foundIn(fleet, before).length }
  if (reading.unread)
    log('the organization cannot be read', { ...facts, ...reading.unread, readAt: reading.readAt }, 'warn')
  else
    log('organization', {
      ...facts,
      AccountsFound: found.length,
      ...(unasked.length > 0 && { unasked: unasked.length }),
    })
  if (tagging) await record.putTagging(tagging, sweep)
  await record.put(reading)
  return { ...fleet, accounts: [...fleet.accounts, ...found] }
}

/** An account whose tags nobody has asked for yet stays what it was. */
const withThoseBefore = ({ accounts, unasked = [] }: Found, before: Reading | undefined): string[] => {
  const had = new Set(before?.accounts)
  return [...accounts, ...unasked.filter((account) => had.has(account))].toSorted()
}
