import * as http from 'node:http'
import { limited } from '../../shared/clients/aws/limits.ts'
import { proxyEnvironment } from '../../shared/clients/proxy.ts'
import { Failure } from '../failure.ts'

/** A proxy asks its own directory and resolves the name before it answers. */
const connectionTimeout = 5_000

let made: Promise<object> | undefined

/**
 * Options that every client of AWS' SDK takes here: through HTTPS_PROXY, where it is set, also for what fetches credentials
 * (SSO, a role of a profile). The SDK itself knows nothing of proxies.
 */
export const sdkOptions = (): Promise<object> => (made ??= options())

const options = async (): Promise<object> => {
  const proxyEnv = environment()
  if (!proxyEnv) return {}
  const [{ Agent }, { fromNodeProviderChain }] = await Promise.all([
    import('node:https'),
    import('@aws-sdk/credential-providers'),
  ])
  const httpsAgent = new Agent({ keepAlive: true, maxSockets: 50, proxyEnv })
  const requestHandler = { ...limited.requestHandler, connectionTimeout, httpsAgent }
  return { requestHandler, credentials: fromNodeProviderChain({ clientConfig: { requestHandler } }) }
}

/** `fetch` ignores a proxy unless Node is configured for one; where Node cannot be, the few calls that use it are refused. */
export const withProxiedFetch = (): void => {
  const proxyEnv = environment()
  if (!proxyEnv || process.env['NODE_USE_ENV_PROXY'] === '1') return
  const { setGlobalProxyFromEnv } = http as { setGlobalProxyFromEnv?: (env: object) => void }
  if (!setGlobalProxyFromEnv)
    throw new Failure(
      `Node ${process.versions.node} makes this call past HTTPS_PROXY unless NODE_USE_ENV_PROXY is set.`,
      'export NODE_USE_ENV_PROXY=1   # then the same command again',
    )
  setGlobalProxyFromEnv(proxyEnv)
}

const environment = () => {
  try {
    return proxyEnvironment(process.env)
  } catch (error) {
    throw new Failure(
      `AWS cannot be reached: ${error instanceof Error ? error.message : String(error)}.`,
      'unset HTTPS_PROXY   # or set it to http://HOST:PORT',
    )
  }
}
