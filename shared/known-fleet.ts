import { foundIn, type Reading } from './domain/organization.ts'
import type { FleetAccount, FleetBounds } from './domain/fleet.ts'
import type { Fleet } from './settings.ts'

/** So long a function relies on what it has read; an account that it does not know is asked for at once. */
const keptMs = 300_000

/**
 * The fleet with the accounts that the last sweep found in the organization. `know` reads them if the given account is not
 * known yet, or if no account is given. Without an organization nothing is read.
 */
export const knownFleet = (
  configured: Fleet,
  read: () => Promise<Reading | undefined>,
  now: () => number = Date.now,
): { fleet: FleetBounds; know: (account?: string) => Promise<void> } => {
  let found: readonly FleetAccount[] = []
  let readAt = -Infinity
  const has = (accounts: readonly FleetAccount[], account?: string) => accounts.some((it) => it.account === account)
  return {
    fleet: {
      ...configured,
      get accounts() {
        return [...configured.accounts, ...found]
      },
    },
    know: async (account) => {
      if (!configured.organization || has(configured.accounts, account)) return
      if (has(found, account) && now() - readAt < keptMs) return
      found = foundIn(configured, await read())
      readAt = now()
    },
  }
}

/**
 * For who only works on messages of a function that has read them: the account of the message at hand is one of the
 * organization's, and nothing is read. The configuration's own accounts come first.
 */
export const toldFleet = (configured: Fleet): { fleet: FleetBounds; at: (account: string) => void } => {
  const { accounts, organization } = configured
  let told: readonly FleetAccount[] = []
  return {
    fleet: {
      ...configured,
      get accounts() {
        return organization ? [...accounts, ...told] : accounts
      },
    },
    at: (account) => void (told = [{ account }]),
  }
}
