/**
 * The names by which a hub and its spokes know each other. They are fixed, so that a role can trust another that is not
 * made yet, and documented in docs/fleet.md.
 */
export const defaultDeployment = 'calico-ipvs-sync'

/** The role that looks and the role that changes. */
export type RoleKind = 'viewer' | 'operator'

/** The functions that leave their account, each with the kind of role that it takes elsewhere. */
export const taken = {
  'list-clusters': 'viewer',
  evaluate: 'viewer',
  'rollout-step': 'operator',
} as const satisfies Record<string, RoleKind>
export type Traveller = keyof typeof taken

/** A second deployment in the same account has names of its own, by its stack's. */
export const deploymentName = (stackName: string): string =>
  stackName === 'CalicoIpvsSync' ? defaultDeployment : `${defaultDeployment}-${stackName}`

/** Of a spoke's role, of the hub's function role, and of the hub's event bus. */
export const roleName = (deployment: string, of: RoleKind | Traveller): string => `${deployment}-${of}`
export const busName = (deployment: string): string => deployment

/** What a spoke's trust asks for where the configuration gives none. It is no secret: it says which deployment is meant. */
export const defaultExternalId = (deployment: string, hubAccount: string): string => `${deployment}-${hubAccount}`

const partitions: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-iso-', 'aws-iso'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
]

/** No credentials lead from one partition of AWS to another. */
export const partitionOf = (region: string): string =>
  partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'
