import type { EksState } from './cluster.ts'
import { type ClusterComparison, differences } from './identity.ts'

/**
 * A cluster that was deleted and made again under its name has the same ARN and is another one: EKS's time of creation tells
 * them apart (RFC 3339). Absent: not known, and then nothing is held against it.
 */
export type Incarnation = string | undefined

export const isAnother = (one: Incarnation, other: Incarnation): boolean =>
  one !== undefined && other !== undefined && one !== other

/** Of an earlier cluster of the name, for this one was not yet made. */
export const predates = (at: string, incarnation: Incarnation): boolean =>
  incarnation !== undefined && Date.parse(at) < Date.parse(incarnation)

interface Named {
  account: string
  region: string
  name: string
}

/** The cluster that was asked for beside the one that EKS describes: a role in a wrong account answers with that account's. */
export const asked = ({ account, region, name }: Named, { arn }: Pick<EksState, 'arn'>): ClusterComparison => ({
  connected: { account, region, name },
  described: { arn },
})

/** What EKS says of the cluster that was asked for; `undefined`: nothing, or it speaks of another. */
export const saidOf = (cluster: Named, eks: EksState | undefined): EksState | undefined =>
  eks && differences(asked(cluster, eks)).length === 0 ? eks : undefined
