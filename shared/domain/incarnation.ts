import type { EksState } from './cluster.ts'
import { type ClusterComparison, differences } from './identity.ts'

/**
 * A cluster that was deleted and created again under the same name has the same ARN but is a different cluster: EKS's
 * creation time (RFC 3339) distinguishes them. Absent: not known; then all records are used.
 */
export type Incarnation = string | undefined

export const isAnother = (one: Incarnation, other: Incarnation): boolean =>
  one !== undefined && other !== undefined && one !== other

/** About an earlier cluster with this name: this one did not exist yet. */
export const predates = (at: string, incarnation: Incarnation): boolean =>
  incarnation !== undefined && Date.parse(at) < Date.parse(incarnation)

interface RequestedCluster {
  account: string
  region: string
  name: string
}

/**
 * The requested cluster and the one that EKS describes: a role of a wrong account returns a cluster of that account.
 */
export const asked = (
  { account, region, name }: RequestedCluster,
  { arn }: Pick<EksState, 'arn'>,
): ClusterComparison => ({
  connected: { account, region, name },
  described: { arn },
})

/** EKS's description of the requested cluster; `undefined`: there is none, or it describes another cluster. */
export const saidOf = (cluster: RequestedCluster, eks: EksState | undefined): EksState | undefined =>
  eks && differences(asked(cluster, eks)).length === 0 ? eks : undefined
