import type { RequestOptions } from 'node:https'
import { objectOf, oneLine } from '../foreign.ts'
import { KubeconfigError } from './file.ts'

/**
 * A token of the deprecated providers (`auth-provider`: OIDC and some clouds), by the Kubernetes client library,
 * which refreshes it. The library is loaded only if needed: its import takes about 0.4 s.
 */
export async function providerToken(files: string[], context: string): Promise<string> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    for (const [index, file] of files.entries()) {
      if (index === 0) config.loadFromFile(file)
      else config.mergeConfig(loaded(new KubeConfig(), file))
    }
    config.setCurrentContext(context)
    const options: RequestOptions = { headers: {} }
    await config.applyToHTTPSOptions(options)
    const header = objectOf(options.headers)['Authorization']
    if (typeof header === 'string' && header.startsWith('Bearer ')) return header.slice('Bearer '.length)
  } catch (error) {
    throw new KubeconfigError(
      `The auth-provider of context ${context} failed: ${oneLine(error instanceof Error ? error.message : String(error))}`,
    )
  }
  throw new KubeconfigError(`The auth-provider of context ${context} returned no token.`)
}

function loaded<T extends { loadFromFile: (file: string) => void }>(config: T, file: string): T {
  config.loadFromFile(file)
  return config
}
