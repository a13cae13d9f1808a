import { partitionOf } from '../../shared/domain/partitions.ts'
import type { EksAccess } from '../../shared/clients/aws/eks-access.ts'
import type { ReadFailure } from '../../shared/domain/read.ts'
import { partsOf } from '../../shared/domain/identity.ts'
import { UsageError } from '../failure.ts'
import { eksIn } from '../target/eks.ts'
import type { GrantOptions } from './grant.ts'

/** A cluster by name, with its region and the credentials. */
export interface GrantTarget {
  name: string
  region: string
  role?: string
  access: EksAccess
}

/** A region whose clusters are not known, which must not look like an empty region. */
export interface Unlisted {
  name: string
  region: string
  role?: string
  failure: ReadFailure
}

export const clustersMeant = async (options: GrantOptions): Promise<(GrantTarget | Unlisted)[]> => {
  const { cluster: names = [], region: regions = [], all = false } = options
  const places = regions.flatMap((region) => rolesIn(options, region).map((role) => ({ region, role })))
  const found = await Promise.all(
    places.map(async ({ region, role }) => {
      const access = await eksIn({ region, roleArn: role })
      const place = { region, ...(role !== undefined && { role }) }
      if (all) return listed({ ...place, access })
      return [...new Set(names)].map((name) => ({ ...place, name: bare(name), access }))
    }),
  )
  return found.flat()
}

const bare = (name: string): string => {
  const parts = partsOf(name)
  if (parts) throw new UsageError(`--cluster takes a name: --cluster ${parts.name} --region ${parts.region}`)
  return name
}

const rolesIn = ({ account = [], role = [] }: GrantOptions, region: string): (string | undefined)[] => {
  if (account.length > 0) return account.map((id) => `arn:${partitionOf(region)}:iam::${id}:role/${role[0]}`)
  return role.length > 0 ? role : [undefined]
}

const listed = async (place: Omit<GrantTarget, 'name'>): Promise<(GrantTarget | Unlisted)[]> => {
  const { access, ...where } = place
  const row = { ...where, name: `all clusters of ${place.region}` }
  try {
    const { clusterNames } = await import('../../shared/clients/aws/list-clusters.ts')
    const names = await clusterNames(access.sdk)
    if (names.length > 0) return names.map((name) => ({ ...place, name }))
    const message = 'EKS lists no cluster there for these credentials.'
    return [{ ...row, failure: { kind: 'unavailable', object: 'eks:ListClusters', message } }]
  } catch (error) {
    const { awsFailure } = await import('../../shared/clients/aws/failure.ts')
    return [{ ...row, failure: awsFailure(error, 'eks:ListClusters') }]
  }
}
