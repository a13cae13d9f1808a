import type { LabCluster } from '../../../lab/cluster.ts'
import { until } from '../../until.ts'
import { setPodLogFile } from '../../../lab/fixtures/pod-logs.ts'

/** Where a pod of the DaemonSet is, and that it is still the same one. */
export interface PodSeen {
  name: string
  uid: string
  node: string
  ready: boolean
}

interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string }
  spec: { nodeName?: string }
  status: { conditions?: { type: string; status: string }[] }
}

const namespaces = { 'calico-node': 'calico-system', 'kube-proxy': 'kube-system' } as const
export type Program = keyof typeof namespaces

export const daemonSetOf = (name: Program) => ({ namespace: namespaces[name], name })
const podsPath = (program: Program): string => `/api/v1/namespaces/${namespaces[program]}/pods`

/** Those that are not going away, in the order of their nodes. */
export async function podsOf(cluster: LabCluster, program: Program): Promise<PodSeen[]> {
  const path = `${podsPath(program)}?labelSelector=k8s-app%3D${program}`
  const { items } = (await cluster.request('GET', path)) as { items: Pod[] }
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata: { name, uid }, spec, status }) => ({
      name,
      uid,
      node: spec.nodeName ?? '',
      ready: status.conditions?.some((it) => it.type === 'Ready' && it.status === 'True') ?? false,
    }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1))
}

/** Deletes the pod of this node and waits until the one in its place is ready. */
export async function replacePod(cluster: LabCluster, program: Program, node: string): Promise<void> {
  const old = (await podsOf(cluster, program)).find((it) => it.node === node)
  await cluster.request('DELETE', `${podsPath(program)}/${old?.name}`)
  const isBack = async () =>
    (await podsOf(cluster, program)).some((it) => it.node === node && it.uid !== old?.uid && it.ready)
  await until(() => `No other ${program} is ready on ${node}`, isBack, 60)
}

/** From now on the log of the pods is told as it stood when this was asked, whatever they go on to write. */
export async function keepLogAsItIs(
  cluster: LabCluster,
  pods: readonly PodSeen[],
  copy: (file: string) => string,
): Promise<void> {
  const { namespace } = daemonSetOf('calico-node')
  const path = `/apis/kwok.x-k8s.io/v1alpha1/namespaces/${namespace}/logs`
  await Promise.all(
    pods.map(async ({ name }) => {
      const { spec } = (await cluster.request('GET', `${path}/${name}`)) as { spec: { logs: { logsFile: string }[] } }
      const file = copy(spec.logs[0]?.logsFile ?? '')
      await setPodLogFile(cluster, { namespace, container: 'calico-node', pods: [name] }, file)
    }),
  )
}
