/** The accounts and regions that a deployment looks after. */
export interface FleetBounds {
  /** The account that the functions run in: the only one that is entered with their own roles. */
  own: string
  regions: readonly string[]
  accounts: readonly Entrance[]
}

interface Entrance {
  account: string
  /** Absent: the function's own role. */
  roleArn?: string | undefined
}

/** How an account is entered; `undefined`: not at all. Our own credentials would show our cluster of the same name. */
export const entrance = ({ own, accounts }: FleetBounds, account: string): Entrance | undefined =>
  accounts.find((it) => it.account === account && (it.roleArn !== undefined || account === own))

/** Why a cluster is none of the fleet's; `undefined`: it is one. Anybody may name any account in an event or a message. */
export const whyOutside = (
  fleet: FleetBounds,
  { account, region }: { account: string; region: string },
): string | undefined => {
  if (!entrance(fleet, account)) return `account ${account} is not in the fleet`
  return fleet.regions.includes(region) ? undefined : `region ${region} is not in the fleet`
}
