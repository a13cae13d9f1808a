import { defaultDeployment, defaultExternalId, partitionOf, roleName, type RoleKind } from './fleet-names.ts'

/** The accounts and regions that a deployment looks after. */
export interface FleetBounds {
  /** The account that the functions run in: the only one that may be entered with their own roles. */
  own: string
  /** Absent: `calico-ipvs-sync`. The names of the roles in other accounts begin with it. */
  deployment?: string | undefined
  /** Shown to every role that says no other. Absent: the deployment's name and the own account. */
  externalId?: string | undefined
  /** Of every account that says no others. */
  regions: readonly string[]
  accounts: readonly FleetAccount[]
}

export interface FleetAccount {
  account: string
  regions?: readonly string[] | undefined
  /** Neither: the functions' own roles in the own account, the fixed names elsewhere. */
  viewerRoleArn?: string | undefined
  /** Absent beside `viewerRoleArn`: this account is only reported. */
  operatorRoleArn?: string | undefined
  externalId?: string | undefined
}

/** A role that is assumed, or with neither: the function's own. */
export type Entrance = { roleArn?: undefined } | { roleArn: string; externalId: string }

/** How an account is entered; `undefined`: not at all. Our own credentials would show our cluster of the same name. */
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

/** Why a cluster is none of the fleet's; `undefined`: it is one. Anybody may name any account in an event or a message. */
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

/** Why nothing is changed in an account; `undefined`: it may be. */
export const whyOnlyReported = (fleet: FleetBounds, account: string): string | undefined =>
  entrance(fleet, account, 'operator')
    ? undefined
    : `account ${account} is only reported: accounts[] names a viewerRoleArn for it and no operatorRoleArn`

/** As sessions are called in the other account's CloudTrail: which function of which deployment. */
export const sessionName = ({ deployment = defaultDeployment }: FleetBounds, name: string): string =>
  `${name}@${deployment}`.slice(0, 64)
