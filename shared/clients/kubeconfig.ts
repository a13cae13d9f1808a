import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import type { Cluster, KubeConfig } from '@kubernetes/client-node'
import type { KubeConnection } from './connection.ts'
import { objectOf, oneLine } from './foreign.ts'

export interface KubeconfigChoice {
  /** Absent: `KUBECONFIG`, else `~/.kube/config`. */
  file?: string | undefined
  /** Absent: the current one. */
  context?: string | undefined
}

export interface ChosenCluster {
  context: string
  connection: KubeConnection
}

/** What is wrong with the kubeconfig and what to do about it. */
export class KubeconfigError extends Error {
  override name = 'KubeconfigError'
}

/**
 * A cluster by kubeconfig, with everything kubectl knows of authentication (exec plugins, OIDC, tokens, certificates) but
 * proxies. The library is loaded only here: it costs half a second.
 */
export async function clusterFromKubeconfig(choice: KubeconfigChoice = {}): Promise<ChosenCluster> {
  const config = await load(choice)
  const context = config.getCurrentContext()
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new KubeconfigError(
      `The context ${oneLine(context || '(none)', 100)} names no cluster that the kubeconfig has. ${contextsOf(config)}`,
    )
  if (cluster.proxyUrl)
    throw new KubeconfigError(
      `The cluster ${cluster.name} is reached through a proxy (proxy-url), which is not supported. Run where the API server is reached directly.`,
    )
  const options = await authenticated(config)
  return {
    context,
    connection: {
      server: cluster.server,
      ...authority(cluster),
      ...clientCertificate(options),
      ...(cluster.tlsServerName && { tlsServerName: cluster.tlsServerName }),
      ...(cluster.skipTLSVerify && { insecureSkipTlsVerify: true }),
      ...(tokenIn(options) !== undefined && { token: tokenSource(choice, config) }),
    },
  }
}

/** Plugins keep their credential until it expires; after a refusal everything is read anew. */
function tokenSource(choice: KubeconfigChoice, first: KubeConfig): NonNullable<KubeConnection['token']> {
  let config = Promise.resolve(first)
  return async ({ fresh }) => {
    if (fresh) config = load(choice)
    return tokenIn(await authenticated(await config)) ?? ''
  }
}

async function load({ file, context }: KubeconfigChoice): Promise<KubeConfig> {
  if (file !== undefined && !existsSync(file)) throw new KubeconfigError(`There is no kubeconfig ${file}.`)
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    if (file === undefined) config.loadFromDefault()
    else config.loadFromFile(file)
  } catch (error) {
    throw new KubeconfigError(
      `The kubeconfig cannot be read: ${oneLine(error instanceof Error ? error.message : String(error))}`,
    )
  }
  if (context === undefined) return config
  if (!config.getContextObject(context))
    throw new KubeconfigError(`The kubeconfig has no context ${oneLine(context, 100)}. ${contextsOf(config)}`)
  config.setCurrentContext(context)
  return config
}

/** Runs the exec plugin, refreshes the OIDC token, reads the token file: whatever the user's entry says. */
async function authenticated(config: KubeConfig): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} }
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    throw new KubeconfigError(
      `The user of context ${config.getCurrentContext()} cannot authenticate: ${oneLine(error instanceof Error ? error.message : String(error))}`,
    )
  }
  return options
}

function clientCertificate({ cert, key }: RequestOptions): Pick<KubeConnection, 'cert' | 'key'> {
  const [certPem, keyPem] = [pemOf(cert), pemOf(key)]
  return certPem !== undefined && keyPem !== undefined ? { cert: certPem, key: keyPem } : {}
}

const pemOf = (it: unknown): string | undefined =>
  Buffer.isBuffer(it) ? it.toString('utf8') : typeof it === 'string' && it !== '' ? it : undefined

function tokenIn({ headers }: RequestOptions): string | undefined {
  const header = objectOf(headers)['Authorization']
  return typeof header === 'string' ? /^Bearer (.+)$/.exec(header)?.[1] : undefined
}

function authority({ caData, caFile }: Cluster): Pick<KubeConnection, 'ca'> {
  if (caData) return { ca: Buffer.from(caData, 'base64').toString('utf8') }
  return caFile ? { ca: readFileSync(caFile, 'utf8') } : {}
}

function contextsOf(config: KubeConfig): string {
  const names = config.getContexts().map(({ name }) => name)
  return names.length > 0 ? `It has: ${oneLine(names.join(', '))}.` : 'It has none.'
}
