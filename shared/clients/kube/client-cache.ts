import type { KubeClient } from './client.ts'

/** A function works on one cluster at a time; the clusters that it used last are the most likely to come again. */
const keptAtMost = 50

/**
 * The client of each cluster, created once and reused with its connections and tokens. `version`: if it changes (a
 * cluster that was created again, another endpoint or authority), a new client is created and the old one is closed.
 */
export function keptClients() {
  const kept = new Map<string, { version: string; client: KubeClient }>()
  const forget = (cluster: string): void => {
    kept.get(cluster)?.client.close()
    kept.delete(cluster)
  }
  return (cluster: string, version: string, make: () => KubeClient): KubeClient => {
    const known = kept.get(cluster)
    if (known && known.version !== version) forget(cluster)
    const client = known?.version === version ? known.client : make()
    // The last entry of a Map is the one that was used last.
    kept.delete(cluster)
    kept.set(cluster, { version, client })
    for (const oldest of [...kept.keys()].slice(0, -keptAtMost)) forget(oldest)
    return client
  }
}
