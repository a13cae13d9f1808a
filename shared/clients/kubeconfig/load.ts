import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { certificatesIn, checkKey } from '../certificates.ts'
import type { KubeConnection } from '../kube/connection.ts'
import { type ExecCredential, execCredential } from './exec-credential.ts'
import { didYouMean } from '../../domain/nearest.ts'
import { exactTextOf as textOf, isObject, objectOf, oneLine } from '../foreign.ts'
import { type EksHint, eksHint, isOfAws } from './eks.ts'
import { impersonation } from './impersonation.ts'
import { type Proxy, proxyAt, ProxyError, proxyFor } from '../proxy.ts'
import {
  type KubeconfigEntry,
  type Kubeconfig,
  KubeconfigError,
  kubeconfigFiles,
  type Pem,
  pemOf,
  readKubeconfig,
  readText,
} from './file.ts'

export { KubeconfigError } from './file.ts'

export interface KubeconfigChoice {
  /** Absent: `KUBECONFIG`, else `~/.kube/config`, else the service account of the pod that this runs in. */
  file?: string | undefined
  /** Absent: the current one. */
  context?: string | undefined
}

export interface ChosenCluster {
  context: string
  /**
   * The cluster's name in the kubeconfig, which is its ARN with `aws eks update-kubeconfig`. Absent inside a cluster.
   */
  cluster?: string
  connection: KubeConnection
  /** Set if the EKS cluster is known. */
  eks?: EksHint
}

/** A cluster by kubeconfig, as kubectl would reach it. Throws `KubeconfigError`. */
export async function clusterFromKubeconfig(choice: KubeconfigChoice = {}): Promise<ChosenCluster> {
  const { login, flaws, ...found } = clusterWithoutLogin(choice)
  if (flaws[0]) throw flaws[0].error
  return { ...found, connection: { ...found.connection, ...(await login()) } }
}

export interface FoundCluster extends ChosenCluster {
  /** What authenticates there. Runs the user's credential plugin, where there is one. */
  login: () => Promise<Pick<KubeConnection, 'cert' | 'key' | 'token'>>
  /** Where one is run. */
  plugin?: { command: string; isOfAws: boolean }
  /** The connection is complete only if there are none. */
  flaws: Flaw[]
}

/** A part of the kubeconfig that cannot be used. */
export interface Flaw {
  part: 'authority' | 'proxy' | 'impersonation'
  error: KubeconfigError
}

/**
 * The same, but runs no plugin, which `login` does later, and returns parts that cannot be used beside the others, so that
 * these can be tried. Throws `KubeconfigError` where no cluster is found.
 */
export function clusterWithoutLogin({ file, context }: KubeconfigChoice = {}): FoundCluster {
  const files = kubeconfigFiles(file, process.env)
  if (files.length === 0) return { ...inPod(process.env, context), flaws: [], login: async () => ({}) }
  const config = readKubeconfig(files)
  const { name, cluster, user } = chosen(config, context)
  const { value } = cluster
  const server = textOf(value['server']) ?? ''
  const flaws: Flaw[] = []
  const ca = usable(flaws, 'authority', () => authorityOf(cluster))
  const tlsServerName = textOf(value['tls-server-name'])
  const exec = objectOf(user?.value['exec'])
  const eks = eksHint({ context: name, cluster: cluster.name, server, exec })
  const proxy = usable(flaws, 'proxy', () => proxyOf(cluster, server))
  const impersonated = user && usable(flaws, 'impersonation', () => impersonation(user))
  const command = user && ownToken(user) ? undefined : textOf(exec['command'])
  return {
    context: name,
    cluster: cluster.name,
    ...(eks && { eks }),
    ...(command !== undefined && { plugin: { command, isOfAws: isOfAws(exec) } }),
    flaws,
    login: async () => (user ? identity(user, cluster, { config, name }) : {}),
    connection: {
      server,
      ...(ca !== undefined && { ca }),
      ...(tlsServerName && { tlsServerName }),
      ...(value['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
      ...(proxy && { proxy }),
      ...(impersonated && { impersonation: impersonated }),
    },
  }
}

const usable = <T>(flaws: Flaw[], part: Flaw['part'], read: () => T): T | undefined => {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error
    flaws.push({ part, error })
    return undefined
  }
}

/** The names of all contexts. Throws `KubeconfigError`. */
export const contextNames = (file?: string): string[] => {
  const files = kubeconfigFiles(file, process.env)
  return files.length === 0 ? [] : readKubeconfig(files).contexts.map(({ name }) => name)
}

function chosen(
  config: Kubeconfig,
  wanted: string | undefined,
): { name: string; cluster: KubeconfigEntry; user: KubeconfigEntry | undefined } {
  const name = wanted ?? config.currentContext
  const names = config.contexts.map((it) => it.name)
  const there = `It has: ${oneLine(names.join(', ')) || 'none'}.`
  const about = names.length === 0 ? 'file' : 'choice'
  if (name === undefined)
    throw new KubeconfigError(`The kubeconfig has no current context; choose one with --context. ${there}`, about)
  const context = config.contexts.find((it) => it.name === name)
  if (!context) {
    const guess = didYouMean(
      name.slice(0, 200),
      names.map((it) => oneLine(it, 200)),
    )
    throw new KubeconfigError(`The kubeconfig has no context ${oneLine(name, 100)}.${guess} ${there}`, about)
  }
  const cluster = config.clusters.find((it) => it.name === context.value['cluster'])
  if (!cluster)
    throw new KubeconfigError(
      `The context ${oneLine(name, 100)} names a cluster that the kubeconfig does not have.`,
      'choice',
    )
  const user = config.users.find((it) => it.name === context.value['user'])
  // As kubectl does: without the entry the cluster would be asked as nobody.
  if (!user && textOf(context.value['user']))
    throw new KubeconfigError(
      `The context ${oneLine(name, 100)} names a user that the kubeconfig does not have.`,
      'choice',
    )
  return { name, cluster, user }
}

/** The cluster's own proxy, else the environment's; what is named and cannot be used is not gone past in silence. */
function proxyOf({ name, value }: KubeconfigEntry, server: string): Proxy | undefined {
  try {
    const own = textOf(value['proxy-url'])
    return own ? proxyAt(own, 'proxy-url') : proxyFor(server, process.env)
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error
    const message = `The cluster ${oneLine(name, 100)} is reached through a proxy: ${error.message}.`
    throw new KubeconfigError(message, 'login', { proxy: error })
  }
}

/** An invalid authority is rejected: without one the system's authorities would be trusted. */
function authorityOf(cluster: KubeconfigEntry): string | undefined {
  const { value } = cluster
  const pem = pemOf(cluster, 'certificate-authority')
  if (pem) return checked(pem, certificatesIn)
  const empty = ['certificate-authority-data', 'certificate-authority'].find((key) => value[key] !== undefined)
  if (empty === undefined || value['insecure-skip-tls-verify'] === true) return undefined
  throw new KubeconfigError(
    `${empty} of the cluster ${oneLine(cluster.name, 100)} is empty: it contains no certificate authority.`,
  )
}

function checked({ text, from }: Pem, check: (text: string) => unknown): string {
  try {
    check(text)
    return text
  } catch (error) {
    throw new KubeconfigError(`${from} cannot be used: ${error instanceof Error ? error.message : 'not readable'}.`)
  }
}

type Identity = Pick<KubeConnection, 'cert' | 'key' | 'token'>

/** Beside one, kubectl runs neither plugin nor provider. */
const ownToken = ({ value }: KubeconfigEntry): boolean => Boolean(textOf(value['tokenFile']) || textOf(value['token']))

/**
 * In kubectl's order: a token file before a token, a certificate with either, a plugin or provider if there is none.
 */
async function identity(
  user: KubeconfigEntry,
  cluster: KubeconfigEntry,
  of: { config: Kubeconfig; name: string },
): Promise<Identity> {
  const { value, folder } = user
  const certificate = certificateOf(pemOf(user, 'client-certificate'), pemOf(user, 'client-key'), user)
  const tokenFile = textOf(value['tokenFile'])
  if (tokenFile) return { ...certificate, token: async () => readText(resolve(folder, tokenFile)).trim() }
  const token = textOf(value['token'])
  if (token) return { ...certificate, token: async () => token }
  if (isObject(value['exec'])) return byPlugin(user, cluster)
  if (isObject(value['auth-provider'])) return byProvider(of.config.files, of.name)
  if (value['username'] !== undefined)
    throw new KubeconfigError(
      `The user ${user.name} has a password only; API servers do not accept passwords since Kubernetes 1.19.`,
    )
  return certificate
}

/** Neither, or both and matching. */
function certificateOf(
  cert: Pem | undefined,
  key: Pem | undefined,
  { name }: KubeconfigEntry,
): Pick<Identity, 'cert' | 'key'> {
  if (!cert && !key) return {}
  if (!cert || !key)
    throw new KubeconfigError(
      `The user ${oneLine(name, 100)} has a client ${cert ? 'certificate without its key' : 'key without its certificate'}.`,
    )
  const certificate = checked(cert, certificatesIn)
  return { cert: certificate, key: checked(key, (text) => checkKey(text, certificate)) }
}

/** The plugin runs now, because it may return a certificate, and again when its credential expires or is rejected. */
async function byPlugin(user: KubeconfigEntry, cluster: KubeconfigEntry): Promise<Identity> {
  let current = await execCredential(user, cluster)
  const [cert, key] = [current.cert, current.key].map(
    (text) => text && { text, from: "The output of the user's credential plugin" },
  )
  const certificate = certificateOf(cert || undefined, key || undefined, user)
  if (current.token === undefined) return certificate
  const token: KubeConnection['token'] = async ({ fresh }) => {
    if (fresh || isOver(current)) current = await execCredential(user, cluster)
    return current.token ?? ''
  }
  return { ...certificate, token }
}

const isOver = ({ expiresAt }: ExecCredential): boolean =>
  expiresAt !== undefined && Date.parse(expiresAt) <= Date.now()

async function byProvider(files: string[], context: string): Promise<Identity> {
  const { providerToken } = await import('./provider.ts')
  let current: string | undefined
  return {
    token: async ({ fresh }) =>
      (current = fresh ? undefined : current) ?? (current = await providerToken(files, context)),
  }
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount'

const naming = 'Name one with --kubeconfig or KUBECONFIG, or an EKS cluster with --cluster and --region.'

/** Inside a cluster, without a kubeconfig: the API server in the environment of every pod. */
function inPod(env: NodeJS.ProcessEnv, wanted: string | undefined): ChosenCluster {
  const [host, port] = [env['KUBERNETES_SERVICE_HOST'], env['KUBERNETES_SERVICE_PORT']]
  if (wanted !== undefined)
    throw new KubeconfigError(
      `There is no kubeconfig that could have the context ${oneLine(wanted, 100)}. ${naming}`,
      'file',
    )
  if (!host || !port || !existsSync(`${account}/token`))
    throw new KubeconfigError(
      env['KUBECONFIG']
        ? `There is no kubeconfig ${oneLine(env['KUBECONFIG'], 300)}, which KUBECONFIG names.`
        : `There is no kubeconfig. ${naming}`,
      'file',
    )
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const token = async () => readText(`${account}/token`).trim()
  const proxy = proxyOf({ name: 'of this pod', folder: '', value: {} }, server)
  const file = `${account}/ca.crt`
  const ca = checked({ text: readText(file), from: `The file ${file}` }, certificatesIn)
  return { context: 'in-cluster', connection: { server, ca, token, ...(proxy && { proxy }) } }
}
