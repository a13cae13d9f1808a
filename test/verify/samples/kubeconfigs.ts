import { readFileSync, writeFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import type { LabCluster } from '../../../lab/cluster.ts'

interface Config {
  clusters: { name: string }[]
  users: { name: string; user: object }[]
  contexts: { name: string; context: { cluster: string; user: string } }[]
}

/** One file with a context for each cluster, by its name, and `nobody`: somebody whom the first cluster does not know. */
export const joinKubeconfigs = (file: string, clusters: readonly LabCluster[]): string => {
  const all = clusters.map(({ name, kubeconfig }) => {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Config
    return {
      clusters: clusters.map((it) => ({ ...it, name })),
      users: users.map((it) => ({ ...it, name })),
      contexts: [{ name, context: { cluster: name, user: name } }],
    }
  })
  const joined = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': clusters[0]?.name,
    clusters: all.flatMap((it) => it.clusters),
    users: [...all.flatMap((it) => it.users), { name: 'nobody', user: { token: 'nobody' } }],
    contexts: [
      ...all.flatMap((it) => it.contexts),
      { name: 'nobody', context: { cluster: clusters[0]?.name, user: 'nobody' } },
    ],
  }
  writeFileSync(file, stringify(joined))
  return file
}
