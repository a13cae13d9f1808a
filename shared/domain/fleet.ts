import { defaultDeployment, defaultExternalId, roleName, type RoleKind } from './fleet-names.ts'
import { partitionOf } from './partitions.ts'

/** The accounts and regions of a deployment. */
export interface FleetBounds {
  /** The account that the functions run in: the only one that they access with their own roles. */
  own: string
  /** Absent: `calico-ipvs-sync`. The names of the roles in other accounts begin with it. */
  deployment?: string | undefined
  /** For every role without its own external id. Absent: the deployment's name and its own account. */
  externalId?: string | undefined
  /** For every account without its own list. */
  regions: readonly string[]
  accounts: readonly FleetAccount[]
}

export interface FleetAccount {
  account: string
  regions?: readonly string[] | undefined
  /** Neither: the functions' own roles in the own account, the fixed names elsewhere. */
  viewerRoleArn?: string | undefined
  /** Absent, with `viewerRoleArn` set: this account is only reported. */
  operatorRoleArn?: string | undefined
  externalId?: string | undefined
}

/** A role that is assumed, or with neither: the function's own. */
export type Entrance = { roleArn?: undefined } | { roleArn: string; externalId: string }

/**
 * How an account is accessed; `undefined`: not at all. With the function's own credentials, a call would return its
 * own cluster with the same name.
 */
export const entrance = (fleet: FleetBounds, account: string, kind: RoleKind): Entrance | undefined => {
  const entry = entryOf(fleet, account)
  if (!entry || (kind === 'operator' && isOnlyReported(entry))) return undefined
  const named = kind === 'viewer' ? entry.viewerRoleArn : entry.operatorRoleArn
  if (named === undefined && account === fleet.own) return {}
  const { deployment = defaultDeployment, own, regions } = fleet
  const [region = ''] = entry.regions ?? regions
  const fixed = `arn:${partitionOf(region)}:iam::${account}:role/${roleName(deployment, kind)}`
  const externalId = entry.externalId ?? fleet.externalId ?? defaultExternalId(deployment, own)
  return { roleArn: named ?? fixed, externalId }
}

const isOnlyReported = ({ viewerRoleArn, operatorRoleArn }: FleetAccount): boolean =>
  viewerRoleArn !== undefined && operatorRoleArn === undefined

const entryOf = ({ accounts }: FleetBounds, account: string): FleetAccount | undefined =>
  accounts.find((it) => it.account === account)

/** Every account with each of its regions. */
export const placesOf = ({ accounts, regions }: FleetBounds): { account: string; region: string }[] =>
  accounts.flatMap(({ account, regions: own }) => (own ?? regions).map((region) => ({ account, region })))

/** Why a cluster is not in the fleet; `undefined`: it is. An event or a message may name any account. */
export const whyOutside = (
  fleet: FleetBounds,
  { account, region }: { account: string; region: string },
): string | undefined => {
  const entry = entryOf(fleet, account)
  if (!entry) return `account ${account} is not in the fleet`
  return (entry.regions ?? fleet.regions).includes(region)
    ? undefined
    : `region ${region} is not in the fleet${entry.regions ? ` for account ${account}` : ''}`
}

/** Why nothing may be changed in an account; `undefined`: changes are allowed. */
export const whyOnlyReported = (fleet: FleetBounds, account: string): string | undefined =>
  entrance(fleet, account, 'operator')
    ? undefined
    : `account ${account} is only reported: accounts[] names a viewerRoleArn for it and no operatorRoleArn`

/** What a spoke without an operator role refuses, in the place of a verb and a resource. */
export const takingOperatorRole = 'take the operator role of its account'

/** The session name in the other account's CloudTrail: the function and the deployment. */
export const sessionName = ({ deployment = defaultDeployment }: FleetBounds, name: string): string =>
  `${name}@${deployment}`.slice(0, 64)
