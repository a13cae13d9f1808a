import type { KubeConnection } from '../shared/clients/connection.ts'
import type { EksCluster } from '../shared/clients/eks.ts'
import type { KubeClient } from '../shared/clients/kube-client.ts'
import type { EksState } from '../shared/domain/cluster.ts'
import { failed, type Read, type ReadFailure } from '../shared/domain/read.ts'
import type { ClusterIdentity, ServiceRange } from '../shared/domain/report.ts'
import { eksIn } from './eks.ts'
import { UsageError } from './failure.ts'
import type { LookOptions, PlaceOptions } from './options.ts'
import { probeRange } from './probe.ts'
import type { Progress } from './progress.ts'
import type { Target } from './target.ts'

export type ConnectOptions = PlaceOptions & LookOptions & { state?: string }

/**
 * From options to a cluster. One that cannot be reached is a target too: its state says why, so that every format has
 * the same document for it. Throws only where the options make no sense or a state file cannot be read.
 */
export const connect = async (options: ConnectOptions, telling: Progress): Promise<Target> => {
  if (options.state !== undefined) return fromFile(options.state)
  if (options.cluster === undefined) return fromKubeconfig(options, telling)
  const region = options.region ?? process.env['AWS_DEFAULT_REGION']
  if (region === undefined) throw new UsageError('--cluster needs --region (or AWS_REGION): which region is it in?')
  return fromEks({ ...options, cluster: options.cluster, region }, telling)
}

const fromFile = async (file: string): Promise<Target> => {
  const { readState } = await import('./state-file.ts')
  const state = await readState(file)
  return { name: file, observe: async () => state, close: () => {} }
}

const fromKubeconfig = async (options: ConnectOptions, telling: Progress): Promise<Target> => {
  const { clusterFromKubeconfig } = await import('../shared/clients/kubeconfig.ts')
  const { kubeconfig: file, context } = options
  try {
    const chosen = await clusterFromKubeconfig({ file, context })
    const identity = identityOf(chosen.context, chosen.cluster)
    const eks = await eksOf(identity, options)
    return await reached({ identity, connection: chosen.connection, eks }, options, telling)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'KubeconfigError') throw error
    const identity = context === undefined ? { name: 'kubeconfig' } : identityOf(context)
    return unreached(identity, { kind: 'unreachable', object: 'kubeconfig', message: error.message })
  }
}

const clusterArn = /^arn:[\w-]+:eks:([\w-]+):(\d{12}):cluster\/(.+)$/

/** `aws eks update-kubeconfig` names clusters by ARN, whatever the context is called; any other is known by its context. */
export const identityOf = (context: string, cluster?: string): ClusterIdentity => {
  const [arn, region, account, name] = clusterArn.exec(cluster ?? '') ?? clusterArn.exec(context) ?? []
  return arn && region && account && name ? { name, arn, account, region, context } : { name: context, context }
}

/** Nobody waits at a terminal for a server that drags: a look of five rounds is over in little more than a minute, with an answer. */
const limits = { connectMs: 5_000, idleMs: 5_000, deadlineMs: 15_000 }

/** Where the context tells which EKS cluster it is, the EKS API is asked for what only it knows. */
const eksOf = async ({ arn, name, region }: ClusterIdentity, { role }: PlaceOptions): Promise<AskEks | undefined> => {
  if (arn === undefined || region === undefined) return undefined
  const { eks } = await eksIn({ region, roleArn: role })
  return async () => stateIn(await eks.describe(name), { name, region })
}

const stateIn = (
  described: Read<EksCluster | undefined>,
  { name, region }: { name: string; region: string },
): Read<EksState> => {
  if ('failure' in described) return described
  return described.value ? { value: described.value.state } : failed(noSuchCluster(name, region))
}

/** Asked again at every look: an update may have begun since. */
type AskEks = () => Promise<Read<EksState>>

const noSuchCluster = (name: string, region: string): ReadFailure => ({
  kind: 'unreachable',
  object: 'eks:DescribeCluster',
  message: `There is no EKS cluster ${name} in ${region}. See: aws eks list-clusters --region ${region}`,
})

const fromEks = async (
  options: ConnectOptions & { cluster: string; region: string },
  telling: Progress,
): Promise<Target> => {
  const { cluster: name, region, role } = options
  const access = await eksIn({ region, roleArn: role })
  telling.doing(`asking the EKS API about ${name}`)
  const described = await access.eks.describe(name)
  if ('failure' in described) return unreached({ name, region }, described.failure)
  if (!described.value) return unreached({ name, region }, noSuchCluster(name, region))
  const { state, endpoint } = described.value
  const { context: _, ...identity } = { ...identityOf(state.arn), name, region }
  if (!endpoint) return unreached(identity, noEndpoint(state.status), { value: state })
  let known: Read<EksState> | undefined = { value: state }
  const eks: AskEks = async () => {
    const answer = known ?? stateIn(await access.eks.describe(name), { name, region })
    known = undefined
    return answer
  }
  return reached({ identity, connection: access.connection(endpoint), eks }, options, telling)
}

const noEndpoint = (status: string): ReadFailure => ({
  kind: 'unreachable',
  object: 'eks:DescribeCluster',
  message: `The cluster has no API server endpoint yet (status ${status}).`,
})

interface Reached {
  identity: ClusterIdentity
  connection: KubeConnection
  eks: AskEks | undefined
}

const reached = async (it: Reached, options: LookOptions, telling: Progress): Promise<Target> => {
  const { identity, connection, eks } = it
  const [{ kubeClient }, { observe }] = await Promise.all([
    import('../shared/clients/kube.ts'),
    import('../shared/workflows/observe.ts'),
  ])
  const given = await givenRange(connection, options, telling)
  const kube: KubeClient = kubeClient(connection, limits)
  const look = async () =>
    observe({
      kube,
      identity,
      now: new Date(),
      deep: options.deep ?? false,
      ...(eks && { eks: await eks() }),
      ...(given && { givenServiceRange: given }),
    })
  return { name: identity.name, observe: look, kube, close: () => kube.close() }
}

const givenRange = async (
  connection: KubeConnection,
  { serviceNodePortRange, probe }: LookOptions,
  telling: Progress,
): Promise<ServiceRange | undefined> => {
  if (serviceNodePortRange) return { ...serviceNodePortRange, source: 'flag' }
  if (!probe) return undefined
  telling.doing('asking the API server for its node-port range')
  return probeRange(connection, telling)
}

/** Nothing could be asked, for one and the same reason. */
export const unreached = async (
  identity: ClusterIdentity,
  failure: ReadFailure,
  eks?: Read<EksState>,
): Promise<Target> => {
  const { unobserved } = await import('../shared/workflows/observe.ts')
  const observe = async () => unobserved({ identity, now: new Date(), ...(eks && { eks }) }, failure)
  return { name: identity.name, observe, close: () => {} }
}
