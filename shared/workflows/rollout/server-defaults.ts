import type { KubeClient } from '../../clients/kube/client.ts'
import type { FelixConfigurations } from '../../domain/cluster.ts'
import type { CalicoApi } from '../../domain/report.ts'
import { overrideKey, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { KubeError } from '../../errors.ts'

/**
 * Fields that Calico's API server sets to defaults when it stores an object, in code that a dry run does not reach
 * (setDefaults in libcalico-go/lib/clientv3/felixconfig.go). The last one is not set: the first two depend on it.
 */
export const filledByCalico: readonly string[] = [
  'bpfConnectTimeLoadBalancing',
  'bpfHostNetworkedNATWithoutCTLB',
  'floatingIPs',
  'bpfConnectTimeLoadBalancingEnabled',
]

/**
 * Which fields of `spec` the server adds to an object that has only the range: with Calico 3.32's definitions
 * `nftablesMode: Auto`, which on a node's own object would hide the value of `default`. The dry run also proves the
 * permission to write. Calico's own API server does not forward a dry run to the API that sets the CRDs' defaults, so
 * a dry run on the API of the stored objects is made as well.
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
  // Marked like every override of ours: the guard (infra/kubernetes/guard.yaml) denies others.
  const annotations = { [rangeAnnotation]: target, [overrideKey]: 'created' }
  const draft = { name: 'node.calico-ipvs-sync', annotations, spec: {} }
  const stored = await kube.createFelix(api, draft, { dryRun: true })
  return Object.keys(stored.spec).filter((field) => field !== 'kubeNodePortRanges')
}

/** Calico with its own etcd. */
const noneWhereNotServed = (error: unknown): string[] => {
  if (error instanceof KubeError && error.kind === 'not-found') return []
  throw error
}
