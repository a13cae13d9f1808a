import type { KubeClient } from '../../clients/kube/client.ts'
import type { FelixConfigurations } from '../../domain/cluster.ts'
import type { CalicoApi } from '../../domain/report.ts'
import { overrideKey, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { KubeError } from '../../errors.ts'

/**
 * Fields that Calico's API server fills in while it stores an object, from code of its own that a dry run does not reach
 * (setDefaults in libcalico-go/lib/clientv3/felixconfig.go). The last is not filled in: it decides the first two.
 */
export const filledByCalico: readonly string[] = [
  'bpfConnectTimeLoadBalancing',
  'bpfHostNetworkedNATWithoutCTLB',
  'floatingIPs',
  'bpfConnectTimeLoadBalancingEnabled',
]

/**
 * Which fields of `spec` the server adds to an object that has only the range: with Calico 3.32's definitions
 * `nftablesMode: Auto`, which on a node's own object would mask what `default` says. The dry run is also the first
 * proof that we may write. Calico's own API server passes no dry run on to where the definitions' defaults are filled
 * in, so there the stored objects' API is asked as well.
 */
export const serverDefaults = async (
  kube: Pick<KubeClient, 'createFelix'>,
  { api, nativeV3 }: Pick<FelixConfigurations, 'api' | 'nativeV3'>,
  target: string,
): Promise<string[]> => {
  const tried = await fieldsAdded(kube, api, target)
  if (api !== 'projectcalico.org/v3' || nativeV3) return tried
  const stored = await fieldsAdded(kube, 'crd.projectcalico.org/v1', target).catch(noneWhereNotServed)
  return [...new Set([...tried, ...stored, ...filledByCalico])]
}

const fieldsAdded = async (
  kube: Pick<KubeClient, 'createFelix'>,
  api: CalicoApi,
  target: string,
): Promise<string[]> => {
  // Marked like every override of ours: the guard (infra/kubernetes/guard.yaml) lets us make no others.
  const annotations = { [rangeAnnotation]: target, [overrideKey]: 'created' }
  const draft = { name: 'node.calico-ipvs-sync', annotations, spec: {} }
  const stored = await kube.createFelix(api, draft, { dryRun: true })
  return Object.keys(stored.spec).filter((field) => field !== 'kubeNodePortRanges')
}

/** Calico with an etcd of its own. */
const noneWhereNotServed = (error: unknown): string[] => {
  if (error instanceof KubeError && error.kind === 'not-found') return []
  throw error
}
