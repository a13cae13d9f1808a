import type { KubeConnection } from '../../shared/clients/kube/connection.ts'
import type { FoundCluster } from '../../shared/clients/kubeconfig/load.ts'
import { differences, partsOf } from '../../shared/domain/identity.ts'
import { awsEks, kubectlOn, type ClusterAddress, withContext } from '../../shared/domain/findings/remedy.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { groups } from '../../shared/domain/grant/groups.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { plainAll, plainLines, safeJson } from '../../shared/domain/plain.ts'
import { tryAccess, type User } from './access.ts'
import { whoAmI } from './authentication.ts'
import { tryCalico } from './calico.ts'
import { type Entered, isAwsProxyUsable, tryAws } from './aws.ts'
import { tryAwsAuth } from './aws-auth.ts'
import { entranceFix, tryEntry, wrongGroups } from './entrance.ts'
import { tellFlaws } from './flaws.ts'
import { type Hop, type Walk, walk } from './hop.ts'
import { loginHop, tryLogin } from './login.ts'
import { tryNetwork } from './network.ts'
import { asText } from './text.ts'
import type { DoctorOptions } from '../options.ts'
import { eksPlaceOf } from '../target/connect.ts'
import { eksIn } from '../target/eks.ts'
import { compared, describeBehind, type EksLead, existing, identityOf, leadOf } from '../target/eks-lead.ts'
import { exitStatus } from '../exit-status.ts'
import { progress } from '../progress.ts'
import { printed } from '../streams.ts'
import { requestLimits } from '../target/request-limits.ts'

/** 0: every hop that is needed is fine · 2: one is not. */
export const examine = async (options: DoctorOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const way = walk((text) => telling.doing(text))
  if (options.config !== undefined)
    way.hops.push({ hop: 'configuration', state: 'ok', detail: `${options.config} is in force` })
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
const withFixes = (hops: readonly Hop[], place: ClusterAddress): Hop[] => {
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

const byName = async (way: Walk, options: DoctorOptions): Promise<ClusterAddress> => {
  const { role } = options
  const { cluster: name, region } = eksPlaceOf({ ...options, cluster: options.cluster ?? '' })
  const asked = { region, roleArn: role }
  const describe = async () => existing(await (await eksIn(asked)).eks.describe(name), { name, region })
  const found = (await isAwsProxyUsable(way, region)) ? await tryAws(way, { ...asked, name, describe }) : undefined
  const endpoint = found?.eks.endpoint
  const connection = endpoint && (await eksIn(asked)).connection(endpoint)
  const cluster = { name, region, ...partsOf(found?.eks.state.arn ?? '') }
  const place: ClusterAddress = { cluster, ...(role !== undefined && { reachedBy: { role } }) }
  await tryCluster(way, { connection, place, options, entered: found })
  return place
}

const byKubeconfig = async (way: Walk, options: DoctorOptions): Promise<ClusterAddress> => {
  const { clusterWithoutLogin } = await import('../../shared/clients/kubeconfig/load.ts')
  const { kubeconfig: file, context } = options
  const chosen = await way.take(
    'kubeconfig',
    async () => {
      const value = clusterWithoutLogin({ file, context })
      return { detail: `context ${value.context}, ${value.connection.server}`, value }
    },
    `kubectl config get-contexts${file === undefined ? '' : ` --kubeconfig ${quoted(file)}`}   # for EKS: aws eks update-kubeconfig --name NAME --region REGION`,
  )
  const cluster: ClusterIdentity = chosen
    ? identityOf(chosen)
    : { name: context ?? 'kubeconfig', ...partsOf(context ?? ''), ...(context !== undefined && { context }) }
  const profile = chosen?.eks?.profile
  const reachedBy = { ...(file !== undefined && { kubeconfig: file }), ...(profile !== undefined && { profile }) }
  const place = { cluster, reachedBy }
  if (chosen)
    await tellFlaws(way, chosen.flaws, { place, named: chosen.cluster, host: hostOf(chosen.connection.server) })
  const entered = chosen && (await tryLead(way, chosen, options))
  const login = chosen && (await tryLogin(way, chosen, place))
  const connection = chosen && { ...chosen.connection, ...login }
  const needs = chosen ? [loginHop(chosen), 'acting as'] : []
  await tryCluster(way, { connection, place, options, entered, needs, named: chosen?.cluster })
  return place
}

const hostOf = (server: string): string => (URL.canParse(server) ? new URL(server).hostname : server)

const tryLead = async (way: Walk, chosen: FoundCluster, options: DoctorOptions): Promise<Entered | undefined> => {
  const { eks } = chosen
  if (eks && !(await isAwsProxyUsable(way, eks.region ?? 'REGION'))) return undefined
  const lead = await leadOf(chosen, options)
  if (lead) return tryEks(way, chosen, lead)
  for (const hop of ['STS', 'EKS API']) way.leaveOut(hop, 'the kubeconfig does not tell which EKS cluster it is')
  return undefined
}

/** EKS's answer, and whether it is about the cluster that is connected to. */
const tryEks = async (way: Walk, chosen: FoundCluster, lead: EksLead): Promise<Entered | undefined> => {
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
  place: ClusterAddress
  options: DoctorOptions
  entered?: Entered | undefined
  /** What must have gone well before anybody can be authenticated. */
  needs?: readonly string[]
  /** The cluster's name in the kubeconfig. */
  named?: string | undefined
}

const tryCluster = async (
  way: Walk,
  { connection, place, options, entered, needs = [], named }: Ahead,
): Promise<void> => {
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
  await tryNetwork(way, connection, { place, named })
  const kubectl = kubectlOn(place)
  const refused = entranceFix({ place, lookOnly, entered })
  const user = await way.take('authentication', () => whoAmI(connection, { kubectl, refused }), refused, [
    'TLS',
    ...needs,
  ])
  if (user === undefined) {
    way.hops.push({ hop: 'permissions', state: 'not tried', detail: 'it needs authentication' })
    return
  }
  const { kubeClient } = await import('../../shared/clients/kube/open.ts')
  const kube = kubeClient(connection, requestLimits)
  try {
    await tryCalico(way, kube, kubectl)
    way.hops.push(...(await tryAccess(kube, { lookOnly, user: asMeant(user, entered), kubectl })))
  } finally {
    kube.close()
  }
  if (entered) way.hops.push(await mappedBy(connection, place, entered))
}

/** An entry whose group is nearly ours is put right by its own fix. */
const asMeant = (user: User, entered: Entered | undefined): User =>
  wrongGroups(entered).length > 0 ? { ...user, groups: [...user.groups, ...Object.values(groups)] } : user

const mappedBy = async (connection: KubeConnection, place: ClusterAddress, entered: Entered): Promise<Hop> => {
  const { kubeHttp } = await import('../../shared/clients/kube/http.ts')
  const http = kubeHttp(connection, requestLimits)
  try {
    return await tryAwsAuth(http, place, entered)
  } finally {
    http.close()
  }
}

const endpointFix = (place: ClusterAddress): string =>
  awsEks(place, `wait cluster-active --name ${quoted(place.cluster.name)}`)
