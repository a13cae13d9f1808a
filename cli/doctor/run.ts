import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import type { ChosenCluster } from '../../shared/clients/kubeconfig/load.ts'
import { differences, partsOf } from '../../shared/domain/identity.ts'
import { awsEks, kubectlOn, type Place, withContext } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { groups } from '../../shared/domain/grant/groups.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { plain, plainAll, plainLines, safeJson } from '../../shared/domain/plain.ts'
import { tryAccess, type User } from './access.ts'
import { type Entered, tryAws } from './aws.ts'
import { tryAwsAuth } from './aws-auth.ts'
import { entranceFix, tryEntry, wrongGroups } from './entrance.ts'
import { type Hop, HopFailure, type Walk, walk } from './hop.ts'
import { tryNetwork } from './network.ts'
import type { DoctorOptions } from '../options.ts'
import { eksPlaceOf } from '../target/connect.ts'
import { eksIn } from '../target/eks.ts'
import { compared, describeBehind, type EksLead, existing, identityOf, leadOf } from '../target/eks-lead.ts'
import { exitStatus } from '../exit-status.ts'
import { progress } from '../progress.ts'
import { printed, wantsColour } from '../streams.ts'

/** 0: every hop that is needed is fine · 2: one is not. */
export const examine = async (options: DoctorOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const way = walk((text) => telling.doing(text))
  const place = await (options.cluster === undefined ? byKubeconfig(way, options) : byName(way, options))
  telling.clear()
  const ok = way.hops.every(({ state }) => state === 'ok' || state === 'left out')
  const document = { schemaVersion: 1, cluster: place.cluster, ok, hops: withFixes(way.hops, place) }
  await printed(
    options.output === 'json' ? `${safeJson(published(document), 2)}\n` : asText(document, options),
    options,
  )
  return ok ? exitStatus.inStep : exitStatus.failed
}

/** kubectl's context is made once, not for each hop. */
const withFixes = (hops: readonly Hop[], place: Place): Hop[] => {
  const first = hops.findIndex(({ fix }) => fix !== undefined && withContext(fix, place) !== fix)
  return hops.map((it, at) => (at === first && it.fix !== undefined ? { ...it, fix: withContext(it.fix, place) } : it))
}

/** Only fixes keep their line breaks: a command on the line of a comment would become part of the comment. */
const published = <Document extends { hops: Hop[] }>(document: Document): Document => ({
  ...plainAll({ ...document, hops: [] }),
  hops: document.hops.map(({ fix, ...hop }) => ({
    ...plainAll(hop),
    ...(fix !== undefined && { fix: plainLines(fix).join('\n') }),
  })),
})

const byName = async (way: Walk, options: DoctorOptions): Promise<Place> => {
  const { role } = options
  const { cluster: name, region } = eksPlaceOf({ ...options, cluster: options.cluster ?? '' })
  const asked = { region, roleArn: role }
  const describe = async () => existing(await (await eksIn(asked)).eks.describe(name), { name, region })
  const found = await tryAws(way, { ...asked, name, describe })
  const endpoint = found?.eks.endpoint
  const connection = endpoint && (await eksIn(asked)).connection(endpoint)
  const cluster = { name, region, ...partsOf(found?.eks.state.arn ?? '') }
  const place: Place = { cluster, ...(role !== undefined && { reachedBy: { role } }) }
  await tryCluster(way, { connection, place, options, entered: found })
  return place
}

const byKubeconfig = async (way: Walk, options: DoctorOptions): Promise<Place> => {
  const { clusterFromKubeconfig } = await import('../../shared/clients/kubeconfig/load.ts')
  const { kubeconfig: file, context } = options
  const chosen = await way.take(
    'kubeconfig',
    async () => {
      const value = await clusterFromKubeconfig({ file, context })
      return { detail: `context ${value.context}, ${value.connection.server}`, value }
    },
    'kubectl config get-contexts   # for EKS: aws eks update-kubeconfig --name NAME --region REGION',
  )
  const cluster: ClusterIdentity = chosen
    ? identityOf(chosen)
    : { name: context ?? 'kubeconfig', ...partsOf(context ?? ''), ...(context !== undefined && { context }) }
  const profile = chosen?.eks?.profile
  const reachedBy = { ...(file !== undefined && { kubeconfig: file }), ...(profile !== undefined && { profile }) }
  const place = { cluster, reachedBy }
  const lead = chosen && (await leadOf(chosen, options))
  const entered = chosen && lead && (await tryEks(way, chosen, lead))
  if (chosen && !lead)
    for (const hop of ['STS', 'EKS API']) way.leaveOut(hop, 'the kubeconfig does not tell which EKS cluster it is')
  await tryCluster(way, { connection: chosen?.connection, place, options, entered })
  return place
}

/** EKS's answer, and whether it is about the cluster that is connected to. */
const tryEks = async (way: Walk, chosen: ChosenCluster, lead: EksLead): Promise<Entered | undefined> => {
  const found = await tryAws(way, { ...lead.place, name: lead.name, describe: () => describeBehind(lead) })
  if (!found) return undefined
  const other = differences(compared(chosen, found.eks))
  await way.take(
    'identity',
    () => {
      const texts = other.map(({ mark, connected, described }) => `${mark} ${connected}, EKS says ${described}`)
      if (other.length > 0) return Promise.reject(new Error(`EKS describes another cluster: ${texts.join('; ')}`))
      return Promise.resolve({ detail: `the kubeconfig leads to ${found.eks.state.arn}`, value: true })
    },
    `calico-ipvs-sync explain CLUSTER_IDENTITY`,
  )
  return other.length === 0 ? found : undefined
}

interface Ahead {
  connection: KubeConnection | undefined
  place: Place
  options: DoctorOptions
  entered?: Entered | undefined
}

const tryCluster = async (way: Walk, { connection, place, options, entered }: Ahead): Promise<void> => {
  const lookOnly = options.lookOnly ?? false
  await tryEntry(way, { place, lookOnly, entered })
  if (!connection) {
    if (entered)
      await way.take(
        'endpoint',
        () => Promise.reject(new Error('The cluster has no API server endpoint yet.')),
        endpointFix(place),
      )
    for (const hop of ['DNS', 'TCP', 'TLS', 'authentication', 'permissions'])
      way.hops.push({ hop, state: 'not tried', detail: 'an earlier hop failed' })
    return
  }
  await tryNetwork(way, connection, place)
  const kubectl = kubectlOn(place)
  const refused = entranceFix({ place, lookOnly, entered })
  const user = await way.take('authentication', () => whoAmI(connection, { kubectl, refused }), refused, ['TLS'])
  if (user === undefined) {
    way.hops.push({ hop: 'permissions', state: 'not tried', detail: 'it needs authentication' })
    return
  }
  const { kubeClient } = await import('../../shared/clients/kube/open.ts')
  const kube = kubeClient(connection)
  try {
    way.hops.push(...(await tryAccess(kube, { lookOnly, user: asMeant(user, entered), kubectl })))
  } finally {
    kube.close()
  }
  if (entered) way.hops.push(await mappedBy(connection, place, entered))
}

/** An entry whose group is nearly ours is put right by its own fix. */
const asMeant = (user: User, entered: Entered | undefined): User =>
  wrongGroups(entered).length > 0 ? { ...user, groups: [...user.groups, ...Object.values(groups)] } : user

const mappedBy = async (connection: KubeConnection, place: Place, entered: Entered): Promise<Hop> => {
  const { kubeHttp } = await import('../../shared/clients/kube/http.ts')
  const http = kubeHttp(connection)
  try {
    return await tryAwsAuth(http, place, entered)
  } finally {
    http.close()
  }
}

const endpointFix = (place: Place): string => awsEks(place, `wait cluster-active --name ${quoted(place.cluster.name)}`)

/** The user that the API server sees. */
const whoAmI = async (
  connection: KubeConnection,
  { kubectl, refused }: { kubectl: string; refused: string },
): Promise<{ detail: string; value: User }> => {
  const [{ kubeHttp }, { KubeError }] = await Promise.all([
    import('../../shared/clients/kube/http.ts'),
    import('../../shared/errors.ts'),
  ])
  const http = kubeHttp(connection)
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
    const { status } = (await http.json({ method: 'POST', path, body })) as {
      status?: { userInfo?: { username?: string; groups?: string[] } }
    }
    const { username = '', groups = [] } = status?.userInfo ?? {}
    if (username === 'system:anonymous')
      throw new HopFailure(
        'The API server takes us for nobody (system:anonymous): no credential was sent.',
        `${kubectl} auth whoami`,
      )
    return { detail: `as ${username} (${groups.join(', ')})`, value: { name: username, groups } }
  } catch (error) {
    // Before Kubernetes 1.28 there is no SelfSubjectReview; a caller that is refused only this was authenticated.
    if (!(error instanceof KubeError)) throw error
    if (error.kind === 'not-found') return { detail: 'accepted', value: { name: 'YOUR-USER', groups: [] } }
    // Without an answer nobody was refused: the credential plugin has its own words for what it lacks.
    const isSent = error.status > 0 || error.kind !== 'unauthenticated'
    const plugin = `${kubectl} auth whoami   # has the same credential plugin or file: what it needs is to be renewed`
    throw new HopFailure(error.message, isSent ? refused : plugin)
  } finally {
    http.close()
  }
}

const asText = (
  { cluster, ok, hops }: { cluster: ClusterIdentity; ok: boolean; hops: Hop[] },
  { color }: DoctorOptions,
): string => {
  const coloured = wantsColour(process.stdout, color)
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const marks: Record<Hop['state'], string> = {
    ok: paint(32, 'ok       '),
    failed: paint(31, 'FAILED   '),
    'left out': 'left out ',
    'not tried': 'not tried',
  }
  const width = Math.min(44, Math.max(...hops.map(({ hop }) => hop.length)))
  const lines = hops.flatMap(({ hop, state, detail, fix }) => [
    `${marks[state]}  ${plain(hop).padEnd(width)}  ${plain(detail)}`,
    ...(fix === undefined
      ? []
      : plainLines(fix).map((line, at) => `           ${at === 0 ? 'to fix it: ' : '           '}${line}`)),
  ])
  const failed = hops.filter(({ state }) => state === 'failed').length
  const end = ok ? 'Everything that is needed works.' : `${failed} of ${hops.length} hops failed.`
  return `${plain(cluster.name)}\n${lines.join('\n')}\n${end}\n`
}
