import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import type { KubeconfigError } from '../../shared/clients/kubeconfig/file.ts'
import type { EksCluster } from '../../shared/clients/aws/eks.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import type { EksState } from '../../shared/domain/cluster.ts'
import { partsOf } from '../../shared/domain/identity.ts'
import { type Read, type ReadFailure, valueOf } from '../../shared/domain/read.ts'
import { type ClusterAddress } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { eksIn } from './eks.ts'
import { type AskEks, askingBehind, existing, identityOf } from './eks-lead.ts'
import { Failure, UsageError } from '../failure.ts'
import { isWithoutCredentials, withoutCredentials } from './login-fix.ts'
import type { Format, LookOptions, PlaceOptions } from '../options.ts'
import { probeRange } from './probe.ts'
import type { ProgressOutput } from '../progress.ts'
import type { Observation } from '../../shared/workflows/observe/observation.ts'
import type { Target } from './target.ts'
import { requestLimits } from './request-limits.ts'

/**
 * `output`: with `text`, a context or cluster that does not exist leads to one line, not to a report of failed reads.
 */
export type ConnectOptions = PlaceOptions & LookOptions & { state?: string; output?: Format }

/**
 * Connects to the cluster of the options. An unreachable cluster is a target too: its state has the reason, so that
 * every format has the same document for it. Throws only if the options are invalid or a state file cannot be read.
 */
export const connect = async (options: ConnectOptions, progress: ProgressOutput): Promise<Target> => {
  const telling = eachOnce(progress)
  if (options.state !== undefined) return fromFile(options.state)
  const { kubeconfig, role, cluster } = options
  if (cluster === undefined) return withWay(await fromKubeconfig(options, telling), { kubeconfig, role })
  return withWay(await fromEks({ ...options, ...eksPlaceOf({ ...options, cluster }) }, telling), { role })
}

/** `sync` observes the cluster many times; each message about EKS is printed once. */
const eachOnce = (telling: ProgressOutput): ProgressOutput => {
  const printed = new Set<string>()
  const done = (text: string) => {
    if (!printed.has(text)) telling.done(text)
    printed.add(text)
  }
  return { ...telling, done }
}

/** Throws a `UsageError` if they do not name a cluster of EKS. */
export const eksPlaceOf = ({ cluster, region: given }: PlaceOptions & { cluster: string }): EksName => {
  const parts = partsOf(cluster)
  if (parts) throw new UsageError(`--cluster takes a name: --cluster ${parts.name} --region ${parts.region}`)
  const region = given ?? process.env['AWS_DEFAULT_REGION']
  if (region === undefined) throw new UsageError('--cluster needs --region (or AWS_REGION): which region is it in?')
  return { cluster, region }
}

interface EksName {
  cluster: string
  region: string
}

type Way = NonNullable<ClusterAddress['reachedBy']>

/** Printed commands use the same options. */
export const withWay = (target: Target, way: { [Key in keyof Way]: Way[Key] | undefined }): Target => {
  const given = Object.entries(way).filter(([, value]) => value !== undefined)
  if (given.length === 0) return target
  const reachedBy: Way = { ...target.place.reachedBy, ...Object.fromEntries(given) }
  const observe = async () => ({ ...(await target.observe()), reachedBy })
  return { ...target, place: { ...target.place, reachedBy }, observe }
}

const fromFile = async (file: string): Promise<Target> => {
  const { readState } = await import('../check/state-file.ts')
  const state = await readState(file)
  return { name: file, place: state, observe: async () => state, close: () => {} }
}

const fromKubeconfig = async (options: ConnectOptions, telling: ProgressOutput): Promise<Target> => {
  const { clusterFromKubeconfig } = await import('../../shared/clients/kubeconfig/load.ts')
  const { kubeconfig: file, context } = options
  try {
    const chosen = await clusterFromKubeconfig({ file, context })
    const ask = await askingBehind(chosen, options, telling)
    const target = await reached({ identity: identityOf(chosen), connection: chosen.connection, ask }, options, telling)
    return withWay(target, chosen.cluster === undefined ? { inCluster: true } : { profile: chosen.eks?.profile })
  } catch (error) {
    if (!isKubeconfigError(error)) throw error
    if (options.output === 'text') throw notThere(error, { file, context })
    const identity = context === undefined ? { name: 'kubeconfig' } : { name: context, ...partsOf(context), context }
    return unreached(identity, { kind: 'unreachable', object: 'kubeconfig', message: error.message })
  }
}

/** Throws a `Failure` that offers the nearest name if the kubeconfig has no such context. */
export const expectContext = async ({
  kubeconfig: file,
  context,
}: {
  kubeconfig: string | undefined
  context: string
}): Promise<void> => {
  const { clusterWithoutLogin } = await import('../../shared/clients/kubeconfig/load.ts')
  try {
    clusterWithoutLogin({ file, context })
  } catch (error) {
    if (isKubeconfigError(error) && error.about !== 'login') throw notThere(error, { file, context })
  }
}

/** Its module is loaded with the clients only. */
export const isKubeconfigError = (error: unknown): error is KubeconfigError =>
  error instanceof Error && error.name === 'KubeconfigError'

const notThere = (
  { message, about }: KubeconfigError,
  { file, context }: { file: string | undefined; context: string | undefined },
): Failure => {
  const config = file === undefined ? '' : ` --kubeconfig ${quoted(file)}`
  switch (about) {
    case 'choice':
      return new Failure(
        message,
        `kubectl config get-contexts${config}${context === undefined ? '' : '   # the existing contexts'}`,
      )
    case 'file':
      return new Failure(
        message,
        `aws eks update-kubeconfig --name NAME --region REGION${config}   # writes it, for a cluster of EKS`,
      )
    case 'login':
      return new Failure(
        message,
        `calico-ipvs-sync doctor${config}${context === undefined ? '' : ` --context ${quoted(context)}`}   # tries each hop on the way to the cluster`,
      )
  }
}

/** With a slow server an observation ends after little more than a minute, with an answer. */
const usualLook = { ms: 75_000, bytes: 2 ** 30, kept: 128 * 2 ** 20 }
/** All logs, of which the largest have 16 MiB. */
const deepLook = { ...usualLook, ms: 900_000, bytes: 2 ** 34 }

const fromEks = async (options: ConnectOptions & EksName, telling: ProgressOutput): Promise<Target> => {
  const { cluster: name, region, role } = options
  const access = await eksIn({ region, roleArn: role })
  telling.doing(`asking the EKS API about ${name}`)
  const described = existing(await access.eks.describe(name), { name, region })
  if ('failure' in described) {
    const { kind, message } = described.failure
    if (options.output === 'text' && kind === 'unauthenticated')
      throw isWithoutCredentials(described.failure)
        ? withoutCredentials(described.failure)
        : new Failure(
            `AWS does not accept the identity: ${message}`,
            'aws sts get-caller-identity   # whose credentials',
          )
    return unreached({ name, region }, described.failure, described)
  }
  const { state, endpoint } = described.value
  const identity = { ...partsOf(state.arn), name, region }
  if (!endpoint) return unreached(identity, noEndpoint(state.status), { value: state })
  let known: Read<EksCluster> | undefined = described
  const ask: AskEks = async () => {
    const answer = known ?? existing(await access.eks.describe(name), { name, region })
    known = undefined
    return { identity, eks: 'failure' in answer ? answer : { value: answer.value.state } }
  }
  return reached({ identity, connection: access.connection(endpoint), ask }, options, telling)
}

const noEndpoint = (status: string): ReadFailure => ({
  kind: 'unreachable',
  object: 'eks:DescribeCluster',
  message: `The cluster has no API server endpoint yet (status ${status}).`,
})

interface Reached {
  identity: ClusterIdentity
  connection: KubeConnection
  ask: AskEks
}

const reached = async (it: Reached, options: LookOptions, telling: ProgressOutput): Promise<Target> => {
  const { identity, connection, ask } = it
  const [{ kubeClient }, { observe }] = await Promise.all([
    import('../../shared/clients/kube/open.ts'),
    import('../../shared/workflows/observe/observe.ts'),
  ])
  const kube: KubeClient = kubeClient(connection, requestLimits)
  const observeNow = async () => {
    const answer = await ask()
    // If EKS returns the range, the API server is not probed: a viewer may not be allowed to create Services.
    const isTold = valueOf(answer.eks) !== undefined
    const given = isTold ? {} : await givenRange(connection, options, telling)
    if (isTold && options.serviceNodePortRange)
      telling.done('--service-node-port-range is not used: EKS returns the range.')
    const deep = options.deep ?? false
    return observe({
      kube: kube.within(deep ? deepLook : usualLook),
      ...answer,
      now: new Date(),
      deep,
      ...given,
    })
  }
  return { name: identity.name, place: { cluster: identity }, observe: observeNow, kube, close: () => kube.close() }
}

const givenRange = async (
  connection: KubeConnection,
  { serviceNodePortRange, probe }: LookOptions,
  telling: ProgressOutput,
): Promise<Pick<Observation, 'givenServiceRange' | 'probeFailure'>> => {
  if (serviceNodePortRange) return { givenServiceRange: { ...serviceNodePortRange, source: 'flag' } }
  if (!probe) return {}
  telling.doing('asking the API server for its node-port range')
  const probed = await probeRange(connection)
  if (!probed) return {}
  return 'failure' in probed ? { probeFailure: probed.failure } : { givenServiceRange: probed.value }
}

/** No section could be read, all for the same reason. */
export const unreached = async (
  identity: ClusterIdentity,
  failure: ReadFailure,
  eks?: Read<EksState>,
): Promise<Target> => {
  const { unobserved } = await import('../../shared/workflows/observe/observation.ts')
  const observe = async () => unobserved({ identity, now: new Date(), ...(eks && { eks }) }, failure)
  return { name: identity.name, place: { cluster: identity }, observe, close: () => {} }
}
