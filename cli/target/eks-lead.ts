import { isTemporary } from '../../shared/errors.ts'
import { certificatesIn, fromBase64 } from '../../shared/clients/certificates.ts'
import type { EksClient, EksCluster } from '../../shared/clients/aws/eks.ts'
import type { EksAccess, EksPlace } from '../../shared/clients/aws/eks-access.ts'
import type { ChosenCluster } from '../../shared/clients/kubeconfig/load.ts'
import { takingTurns } from '../../shared/clients/concurrency.ts'
import type { EksState } from '../../shared/domain/cluster.ts'
import {
  type ClusterComparison,
  type ClusterMarks,
  differences,
  endpointOf,
  partsOf,
} from '../../shared/domain/identity.ts'
import { failed, failureOf, read, type Read, type ReadFailure, valueOf } from '../../shared/domain/read.ts'
import { awsEks } from '../../shared/domain/findings/remedy.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { eksIn, principalOf } from './eks.ts'
import type { LookOptions, PlaceOptions } from '../options.ts'
import type { ProgressOutput } from '../progress.ts'

/** The EKS cluster behind a kubeconfig's context: its region and the credentials for EKS. */
export interface EksLead {
  place: EksPlace
  /** Absent: the cluster is searched by this endpoint. */
  name?: string
  server: string
  /** The cluster may not be one of EKS. */
  doubtful: boolean
}

/** A cluster named by ARN, plugin or eksctl is known by that name, any other by its context; inside a pod there is none. */
export const identityOf = ({
  context,
  cluster,
  eks = {},
}: Pick<ChosenCluster, 'context' | 'cluster' | 'eks'>): ClusterIdentity => {
  const { name = context, arn, account, region } = eks
  const known = { ...(arn && { arn }), ...(account && { account }), ...(region && { region }) }
  return { name, ...known, ...(cluster !== undefined && { context }) }
}

/** `--role` overrides the kubeconfig's role. `undefined`: the kubeconfig shows no EKS cluster. */
export const leadOf = async (
  { eks: hint, connection }: ChosenCluster,
  { role, region: given }: PlaceOptions,
  telling?: ProgressOutput,
): Promise<EksLead | undefined> => {
  if (!hint) return undefined
  const region = hint.region ?? given ?? process.env['AWS_DEFAULT_REGION']
  if (region === undefined) {
    telling?.done(`EKS is not called for ${hint.name ?? 'the cluster'}: its region is not known; give --region.`)
    return undefined
  }
  const place = { region, roleArn: role ?? hint.roleArn, as: await principalOf({ ...hint, region }) }
  const named = hint.name === undefined ? {} : { name: hint.name }
  return { place, ...named, server: connection.server, doubtful: hint.doubtful ?? false }
}

interface Asked {
  name: string
  region: string
  /** The AWS profile. */
  profile?: string | undefined
}

const noSuchCluster = ({ name, region, profile }: Asked): ReadFailure => ({
  kind: 'unreachable',
  object: 'eks:DescribeCluster',
  status: 404,
  message: `There is no EKS cluster ${name} in ${region}. See: ${awsEks({ cluster: { name, region }, ...(profile !== undefined && { reachedBy: { profile } }) }, 'list-clusters')}`,
})

export const existing = (described: Read<EksCluster | undefined>, asked: Asked): Read<EksCluster> => {
  if ('failure' in described) return described
  return described.value ? read(described.value) : failed(noSuchCluster(asked))
}

/** Calls EKS; a cluster without a name is searched first. */
export const describeBehind = async (lead: EksLead): Promise<Read<EksCluster>> => {
  const { eks, sdk } = await eksIn(lead.place)
  const { region, as } = lead.place
  const found =
    lead.name === undefined
      ? await searchByEndpoint({ server: eks.server, list: () => listIn(sdk) }, lead)
      : read(lead.name)
  if ('failure' in found) return found
  return existing(await eks.describe(found.value), { name: found.value, region, profile: as?.profile })
}

/** One call for each cluster of the region. With more clusters than this the user must name the cluster. */
export const searchedAtMost = 100
const atOnce = 8

/** One region of EKS, where a cluster is looked for. */
type Searched = Pick<EksClient, 'server'> & { list: () => Promise<string[]> }

/** The cluster of the region with this endpoint. */
export const searchByEndpoint = async (
  eks: Searched,
  { server, place: { region } }: Pick<EksLead, 'server' | 'place'>,
): Promise<Read<string>> => {
  const about = (kind: ReadFailure['kind'], message: string) =>
    failed<string>({
      kind,
      object: 'eks:ListClusters',
      message: `${message} Name it: --cluster NAME --region ${region}.`,
    })
  const names = await listed(eks)
  if ('failure' in names) return names
  const count = names.value.length
  if (count > searchedAtMost)
    return about(
      'unavailable',
      `The EKS cluster was not searched: ${region} has ${count}, more than ${searchedAtMost}.`,
    )
  const turns = takingTurns(atOnce)
  const wanted = endpointOf(server)
  let away: Read<string | undefined> | undefined
  const servers = await Promise.all(
    names.value.map((name) =>
      turns(async () => {
        const answer = away ?? (await eks.server(name))
        if (isAway(failureOf(answer))) away = answer
        return answer
      }),
    ),
  )
  const matching = names.value.filter((_, index) => endpointOf(valueOf(servers[index]) ?? '') === wanted)
  const [found] = matching
  if (found !== undefined && matching.length === 1) return read(found)
  const unread = servers.map((it) => failureOf(it)).find((it) => it !== undefined)
  if (unread) return failed(unread)
  return about(
    'unreachable',
    `${matching.length === 0 ? 'None' : 'More than one'} of the ${count} EKS clusters in ${region} has the endpoint ${wanted}.`,
  )
}

/** After failures for the first clusters the others are not tried. */
const isAway = (failure?: ReadFailure): boolean => failure !== undefined && isTemporary(failure)

const listIn = async (sdk: EksAccess['sdk']): Promise<string[]> => {
  const { clusterNames } = await import('../../shared/clients/aws/list-clusters.ts')
  return clusterNames(sdk)
}

const listed = async (eks: Searched): Promise<Read<string[]>> => {
  try {
    return read(await eks.list())
  } catch (error) {
    const { awsFailure } = await import('../../shared/clients/aws/failure.ts')
    return failed(awsFailure(error, 'eks:ListClusters'))
  }
}

/** EKS's description for one observation, and the identity to compare it with the connected cluster. */
export interface EksAnswer {
  identity: ClusterIdentity
  eks?: Read<EksState>
  comparison?: ClusterComparison
}

/** Called at every observation: an update may have begun since. */
export type AskEks = () => Promise<EksAnswer>

export const askingBehind = async (
  chosen: ChosenCluster,
  options: PlaceOptions & LookOptions,
  telling: ProgressOutput,
): Promise<AskEks> => {
  const identity = identityOf(chosen)
  const lead = await leadOf(chosen, options, telling)
  if (!lead) return async () => ({ identity, comparison: compared(chosen, undefined) })
  const isGiven = options.probe === true || options.serviceNodePortRange !== undefined
  let known = lead
  return async () => {
    const described = await describeBehind(known)
    const comparison = compared(chosen, valueOf(described))
    if ('failure' in described) {
      const isSpared = known.doubtful || (isGiven && canBeSpared(chosen, known, described.failure))
      if (isSpared) telling.done(`EKS is not used: ${described.failure.message}`)
      return { identity, comparison, ...(!isSpared && { eks: described }) }
    }
    if (known.doubtful && isGiven && differences(comparison).length > 0)
      return { identity, comparison: compared(chosen, undefined) }
    const { state } = described.value
    const { name } = partsOf(state.arn) ?? {}
    known = { ...known, ...(name && { name }) }
    return { identity: withArn(identity, comparison), eks: read(state), comparison }
  }
}

/**
 * If the range was given, a caller without EKS permissions does not need EKS. A cluster that is named by ARN belongs
 * to EKS, so EKS's answer is used.
 */
const canBeSpared = ({ eks: hint }: ChosenCluster, { name }: EksLead, { kind }: ReadFailure): boolean =>
  hint?.arn === undefined && (name === undefined || kind === 'denied' || kind === 'unauthenticated')

/** The cluster as the kubeconfig knows it, and as EKS describes it. */
export const compared = (
  { eks: hint = {}, connection }: ChosenCluster,
  described: EksCluster | undefined,
): ClusterComparison => {
  const { arn, name } = hint
  const claims = arn === undefined ? { ...(name && { name }) } : { arn }
  const { server, ca, insecureSkipTlsVerify } = connection
  const connected = {
    ...claims,
    endpoint: endpointOf(server),
    ...(ca !== undefined && { authorities: certificatesIn(ca) }),
    ...(insecureSkipTlsVerify && { unverified: true as const }),
  }
  return { connected, ...(described && { described: describedMarks(described) }) }
}

const describedMarks = ({ state: { arn }, endpoint }: EksCluster): ClusterMarks =>
  endpoint
    ? { arn, endpoint: endpointOf(endpoint.server), authorities: certificatesIn(fromBase64(endpoint.caData)) }
    : { arn }

/** After EKS's cluster is identified as this one, its ARN is used. */
const withArn = (identity: ClusterIdentity, comparison: ClusterComparison): ClusterIdentity => {
  const parts = partsOf(comparison.described?.arn ?? '')
  return parts && differences(comparison).length === 0 ? { ...identity, ...parts } : identity
}
