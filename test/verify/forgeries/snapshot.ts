import type { LabCluster } from '../../../lab/cluster.ts'
import { felixPath, leasePath, type Listed, listed } from './world.ts'

/** What stands in a cluster that a look could harm. */
export interface Snapshot {
  pods: Listed[]
  felix: Listed[]
  /** Of others: ConfigMaps, DaemonSets, Services, by path and version of what people wrote. */
  others: string[]
  lease: string | undefined
}

const otherPaths = ['/api/v1/configmaps', '/apis/apps/v1/daemonsets', '/api/v1/services', '/api/v1/nodes']

export const snapshotOf = async (cluster: LabCluster): Promise<Snapshot> => {
  const [pods, felix, ...others] = await Promise.all(
    ['/api/v1/pods', felixPath, ...otherPaths].map((path) => listed(cluster, path)),
  )
  const written = ({ metadata, ...it }: Listed): string => {
    const { namespace = '', name, uid, generation, labels, annotations } = metadata
    return JSON.stringify([
      namespace,
      name,
      uid,
      generation,
      labels,
      annotations,
      it.spec,
      (it as { data?: object }).data,
    ])
  }
  const lease = (await cluster.request('GET', leasePath).catch(() => undefined)) as Listed | undefined
  return {
    pods: pods ?? [],
    felix: felix ?? [],
    others: others.flatMap((all) => all.map(written)).toSorted(),
    lease: lease?.metadata.resourceVersion,
  }
}
