import type { OrganizationRecord } from '../../clients/aws/organization-record.ts'
import type { FleetBounds } from '../../domain/fleet.ts'
import { foundIn, type Reading, type Selection, unreadSince } from '../../domain/organization.ts'
import type { Read } from '../../domain/read.ts'
import type { Log } from '../../log.ts'

export interface OrganizationTools {
  /** Ids of the accounts that are selected, or why nobody knows. */
  accounts: (selection: Selection) => Promise<Read<string[]>>
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
  const [before, answer] = await Promise.all([record.last(), accounts(fleet.organization)])
  const reading: Reading =
    'value' in answer
      ? { sweep, readAt: at, accounts: answer.value }
      : unreadSince(before, { sweep, at, failure: answer.failure })
  const found = foundIn(fleet, reading)
  const facts = { sweep, accounts: found.length, before: before?.readAt && foundIn(fleet, before).length }
  if (reading.unread)
    log('the organization cannot be read', { ...facts, ...reading.unread, readAt: reading.readAt }, 'warn')
  else log('organization', { ...facts, AccountsFound: found.length })
  await record.put(reading)
  return { ...fleet, accounts: [...fleet.accounts, ...found] }
}
