import { isStatus } from '../../lab/admin-client.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { untilSettled } from '../../lab/fixtures/settle.ts'
import { kubeClient } from '../../shared/clients/kube/open.ts'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { nextSecond, until } from '../until.ts'

/** The few things that the tests of the truth do to one and the same lab cluster, world after world. */

export const mergePatch = 'application/merge-patch+json'
export const felixPath = '/apis/crd.projectcalico.org/v1/felixconfigurations'
export const rangeAnnotation = 'config.projectcalico.org/KubeNodePortRanges'
export const nodeNames = ['1', '2', '3'].map((it) => `ip-10-1-0-${it}.ec2.internal`) as [string, string, string]

export const aSecond = nextSecond

/** A client as the administrator, or with another token. */
export const clientOf = ({ server, caData, adminToken }: LabCluster, token = adminToken): KubeClient =>
  kubeClient({ server, ca: Buffer.from(caData, 'base64').toString('utf8'), token: async () => token })

const namespaces = ['kube-system', 'calico-system']
const collections = [
  '/api/v1/nodes',
  felixPath,
  '/apis/projectcalico.org/v3/felixconfigurations',
  '/apis/projectcalico.org/v3/clusterinformations',
  '/apis/crd.projectcalico.org/v1/clusterinformations',
  '/apis/operator.tigera.io/v1/installations',
  '/apis/kwok.x-k8s.io/v1alpha1/stages?labelSelector=lab%2Ffault',
  ...namespaces.map((it) => `/apis/kwok.x-k8s.io/v1alpha1/namespaces/${it}/logs`),
]
const objects = [
  ...['kube-proxy-config', 'kube-proxy', 'kubernetes-services-endpoint', 'calico-config'].map(
    (name) => `/api/v1/namespaces/kube-system/configmaps/${name}`,
  ),
  '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync',
  '/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org',
  '/api/v1/namespaces/default/services/stray',
]

/** Nothing is left of the world before: as if the cluster had just started, but for namespaces and definitions. */
export async function emptied(cluster: LabCluster): Promise<void> {
  for (const it of namespaces) await removed(cluster, `/apis/apps/v1/namespaces/${it}/daemonsets`)
  const pods = namespaces.map((it) => `/api/v1/namespaces/${it}/pods`)
  await until('a cluster without pods', async () => {
    for (const path of pods) await removed(cluster, `${path}?gracePeriodSeconds=0`)
    const lists = await Promise.all(pods.map((path) => items(cluster, path)))
    return lists.every(({ length }) => length === 0)
  })
  // An API that does not answer goes first: it would withhold its objects.
  for (const paths of [objects, collections]) await Promise.all(paths.map((path) => removed(cluster, path)))
}

export async function removed(cluster: LabCluster, path: string): Promise<void> {
  await until(`no ${path}`, async () => {
    try {
      await cluster.request('DELETE', path)
      return true
    } catch (error) {
      if (isStatus(error, 404)) return true
      if (isStatus(error, 503)) return false
      throw error
    }
  })
}

interface Listed {
  metadata: { name: string; annotations?: Record<string, string> }
  spec: { nodeName?: string }
  status?: { conditions?: { type: string; status: string }[] }
}

export const items = async (cluster: LabCluster, path: string): Promise<Listed[]> =>
  ((await cluster.request('GET', path)) as { items: Listed[] }).items

const isReady = ({ status }: Listed): boolean =>
  status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

export const kubeProxyPods = '/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-proxy'

/** Deletes kube-proxy's pods, all or on one node, and waits for their successors: they read the configuration anew. */
export async function restartKubeProxy(cluster: LabCluster, node?: string): Promise<void> {
  const before = await items(cluster, kubeProxyPods)
  const going = before.filter(({ spec }) => node === undefined || spec.nodeName === node)
  const names = new Set(going.map(({ metadata }) => metadata.name))
  await Promise.all(
    [...names].map((name) => removed(cluster, `/api/v1/namespaces/kube-system/pods/${name}?gracePeriodSeconds=0`)),
  )
  await until('the new kube-proxy pods', async () => {
    const after = await items(cluster, kubeProxyPods)
    return after.length === before.length && after.every((it) => isReady(it) && !names.has(it.metadata.name))
  })
  await untilSettled(cluster, { namespace: 'kube-system', name: 'kube-proxy' })
}

/**
 * Calico 3.28's definition of a FelixConfiguration is what the lab can get; the fields that later versions added and
 * that bear on the verdict are added to it as 3.32 has them, with the default that the server then fills in.
 */
export async function withFieldsOf332(cluster: LabCluster): Promise<void> {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/felixconfigurations.crd.projectcalico.org'
  const place = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties'
  const nftablesMode = { type: 'string', enum: ['Disabled', 'Enabled', 'Auto'], default: 'Auto' }
  const fields = {
    nodeSelector: { type: 'string' },
    nftablesMode,
    nftablesMarkMask: { type: 'integer', format: 'int32' },
  }
  const patch = Object.entries(fields).map(([name, value]) => ({ op: 'add', path: `${place}/${name}`, value }))
  await cluster.request('PATCH', path, patch, 'application/json-patch+json')
  await until('the new fields to be served', async () => {
    const draft = { apiVersion: 'crd.projectcalico.org/v1', kind: 'FelixConfiguration', metadata: { name: 'draft' } }
    try {
      const made = await cluster.request('POST', `${felixPath}?dryRun=All`, { ...draft, spec: {} })
      return (made as { spec: { nftablesMode?: string } }).spec.nftablesMode === 'Auto'
    } catch (error) {
      // While the old definition's storage is taken down.
      if (isStatus(error, 503)) return false
      throw error
    }
  })
}
