/**
 * The names that a hub and its spokes use for each other. They are fixed, so that a role can trust another role
 * before it exists. docs/fleet.md lists them.
 */
export const defaultDeployment = 'calico-ipvs-sync'

/** The role that reads and the role that changes. */
export type RoleKind = 'viewer' | 'operator'

/** The functions that access other accounts, each with the kind of role that it assumes there. */
export const taken = {
  'list-clusters': 'viewer',
  evaluate: 'viewer',
  'rollout-step': 'operator',
} as const satisfies Record<string, RoleKind>
export type Traveller = keyof typeof taken

/** A second deployment in the same account has its own names, derived from its stack's name. */
export const deploymentName = (stackName: string): string =>
  stackName === 'CalicoIpvsSync' ? defaultDeployment : `${defaultDeployment}-${stackName}`

/** Of a spoke's role, of the hub's function role, and of the hub's event bus. */
export const roleName = (deployment: string, of: RoleKind | Traveller): string => `${deployment}-${of}`
export const busName = (deployment: string): string => deployment

/** The external id if the configuration has none. It is not a secret: it identifies the deployment. */
export const defaultExternalId = (deployment: string, hubAccount: string): string => `${deployment}-${hubAccount}`
