import type { LabCluster } from '../../../lab/cluster.ts'
import { nodeSpecs } from '../../../lab/fixtures/nodes.ts'
import { populate } from '../../../lab/fixtures/populate.ts'

export const nodeCount = 3
export const nodes = nodeSpecs(nodeCount).map(({ name }) => name) as [string, string, string]
export const felixPath = '/apis/crd.projectcalico.org/v1/felixconfigurations'
export const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
export const leasePath = `${leases}/calico-ipvs-sync`
export const mergePatch = 'application/merge-patch+json'

/** FelixConfigurations that are not ours, beside `default`. The first is a node's own. */
export const foreign = [`node.${nodes[1]}`, 'gpu'] as const

/** What a forged Lease might name: pods that are nobody's, or somebody else's. */
export const bystanders = [
  { namespace: 'kube-system', name: 'coredns-5d78c9869d-abcde', owner: 'ReplicaSet' },
  { namespace: 'kube-system', name: 'ebs-csi-node-x1x2x', owner: 'DaemonSet' },
  { namespace: 'kube-system', name: 'debug-shell' },
  { namespace: 'calico-system', name: 'calico-kube-controllers-77bd7f4c9c-qwert', owner: 'ReplicaSet' },
  { namespace: 'calico-system', name: 'calico-node-debug' },
]

/** A cluster in use: Calico 3.28 with an operator, kube-proxy in IPVS mode, pods and Felix settings of other people. */
export async function inhabit(cluster: LabCluster): Promise<void> {
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: nodeCount, kubernetesVersion: '1.35.2', kubeProxy: { mode: 'ipvs' }, calico })
  const spec = { logSeverityScreen: 'Debug', reportingInterval: '30s' }
  await Promise.all([
    ...bystanders.map((it) => plant(cluster, it)),
    ...foreign.map((name) => cluster.request('POST', felixPath, felix(name, spec, { team: 'network' }))),
  ])
}

export const felix = (name: string, spec: object, annotations: Record<string, string> = {}) => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind: 'FelixConfiguration',
  metadata: { name, annotations },
  spec,
})

const plant = (cluster: LabCluster, { namespace, name, owner }: (typeof bystanders)[number]): Promise<unknown> => {
  const uid = '7c9f3c2e-0000-4000-8000-000000000001'
  const ownerReferences = owner ? [{ apiVersion: 'apps/v1', kind: owner, name: 'other', uid, controller: true }] : []
  return cluster.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    // The real garbage collector would take a pod whose owner is not there.
    metadata: { name, labels: { app: name }, ...(cluster.kind === 'embedded' && { ownerReferences }) },
    spec: { nodeName: nodes[0], containers: [{ name: 'main', image: 'registry.k8s.io/pause' }] },
  })
}

export interface Listed {
  metadata: {
    name: string
    namespace?: string
    uid: string
    resourceVersion: string
    generation?: number
    annotations?: Record<string, string>
    labels?: Record<string, string>
    ownerReferences?: { kind: string; name: string; uid: string; controller?: boolean }[]
  }
  spec?: Record<string, unknown>
}

export const listed = async (cluster: LabCluster, path: string): Promise<Listed[]> =>
  ((await cluster.request('GET', path)) as { items: Listed[] | null }).items ?? []
