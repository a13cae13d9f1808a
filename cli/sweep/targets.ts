import { counted } from '../../shared/domain/counted.ts'
import { partitionOf } from '../../shared/domain/partitions.ts'
import type { Policy } from '../../shared/domain/policy/policy.ts'
import { failed } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import { compareText } from '../../shared/report/wording.ts'
import { connect, type ConnectOptions, expectContext, unreached, withWay } from '../target/connect.ts'
import { eksIn } from '../target/eks.ts'
import { isWithoutCredentials, withoutCredentials } from '../target/login-fix.ts'
import { UsageError } from '../failure.ts'
import type { Format, LookOptions } from '../options.ts'
import { type ProgressOutput, progress } from '../progress.ts'
import { assessTarget, type Target } from '../target/target.ts'

export interface SweepPlaces {
  output?: Format
  context?: string[]
  kubeconfig?: string
  region?: string[]
  account?: string[]
  role?: string[]
  /** Of the configuration file, by context or name of the cluster. */
  ranges?: Record<string, { min: number; max: number }>
}

/** Enough to overlap the waiting; more would only be throttled by the APIs. */
const atOnce = 8

/** A report for each cluster, sorted by name. A failure never omits a cluster. */
export const sweepReports = async (
  options: SweepPlaces & LookOptions,
  policy: Policy,
  telling: ProgressOutput,
): Promise<Report[]> => {
  // Who types a name sees at once that it is wrong; what a program reads has a row for it.
  if (options.output === 'text')
    for (const context of options.context ?? []) await expectContext({ context, kubeconfig: options.kubeconfig })
  const openings = [...contextOpenings(options), ...(await regionOpenings(options, telling))]
  let finished = 0
  const reports = await inTurns(openings, async (open) => {
    const target = await open()
    try {
      return (await assessTarget(target, policy)).report
    } finally {
      target.close()
      finished += 1
      telling.doing(`${finished} of ${counted(openings.length, 'cluster')}: ${target.name}`)
    }
  })
  return reports.toSorted((a, b) => compareText(a.cluster.name, b.cluster.name))
}

type Open = () => Promise<Target>

/** A cluster that cannot be read is a row with the reason. */
const opening =
  (options: ConnectOptions): Open =>
  async () => {
    try {
      return await connect(options, progress(true))
    } catch (error) {
      if (error instanceof UsageError || !(error instanceof Error)) throw error
      const { cluster, context, region, kubeconfig, role } = options
      const identity = {
        name: cluster ?? context ?? 'kubeconfig',
        ...(context && { context }),
        ...(region && { region }),
      }
      const target = await unreached(identity, { kind: 'unreachable', object: 'cluster', message: error.message })
      return withWay(target, { kubeconfig, role })
    }
  }

const lookOnly = (
  { serviceNodePortRange: given, probe, deep, ranges }: LookOptions & Pick<SweepPlaces, 'ranges'>,
  name: string,
): LookOptions => {
  const serviceNodePortRange = given ?? (probe ? undefined : ranges?.[name])
  return {
    ...(serviceNodePortRange && { serviceNodePortRange }),
    ...(probe && { probe }),
    ...(deep && { deep }),
  }
}

/** With contexts there are no regions: the one role is used for all of them. */
const contextOpenings = ({ context = [], kubeconfig, role: [role] = [], ...rest }: SweepPlaces & LookOptions): Open[] =>
  [...new Set(context)].map((name) =>
    opening({ context: name, ...(kubeconfig && { kubeconfig }), ...(role && { role }), ...lookOnly(rest, name) }),
  )

const regionOpenings = async (options: SweepPlaces & LookOptions, telling: ProgressOutput): Promise<Open[]> => {
  const { region: regions = [] } = options
  const places = [...new Set(regions)].flatMap((region) =>
    rolesOf(options, region).map((role) => ({ region, ...(role && { role }) })),
  )
  const lists = await inTurns(places, async (place) => {
    telling.doing(`listing the clusters of ${place.region}`)
    return listed(place, options)
  })
  return lists.flat()
}

const rolesOf = ({ account = [], role = [] }: SweepPlaces, region: string): (string | undefined)[] => {
  if (account.length > 0) return account.map((id) => `arn:${partitionOf(region)}:iam::${id}:role/${role[0]}`)
  return role.length > 0 ? role : [undefined]
}

/** A region that cannot be listed is one row, because it must not look like an empty region. */
const listed = async (
  place: { region: string; role?: string },
  options: SweepPlaces & LookOptions,
): Promise<Open[]> => {
  const { region, role } = place
  try {
    const { clusterNames } = await import('../../shared/clients/aws/list-clusters.ts')
    const names = await clusterNames((await eksIn({ region, roleArn: role })).sdk)
    return names.map((cluster) => opening({ ...place, cluster, ...lookOnly(options, cluster) }))
  } catch (error) {
    const { awsFailure } = await import('../../shared/clients/aws/failure.ts')
    const account = role?.split(':')[4]
    const identity = { name: `all clusters of ${region}`, region, ...(account && { account }) }
    const failure = awsFailure(error, 'eks:ListClusters')
    // Nothing was asked in any region; what a program reads has a row.
    if (options.output === 'text' && isWithoutCredentials(failure)) throw withoutCredentials(failure)
    return [async () => withWay(await unreached(identity, failure, failed(failure)), { role, listing: true })]
  }
}

/** Results in the order of the items, with at most `atOnce` in parallel. */
const inTurns = async <T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [at, item] of waiting) results[at] = await act(item)
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}
