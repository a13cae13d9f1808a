import type { PodsOf } from '../clients/kube-client.ts'
import type { DaemonSetState } from '../domain/cluster.ts'

/**
 * The lists in which the DaemonSets' pods are found: one each, or one for several that do the same work in one namespace
 * and are told apart by one label alone, as copies of kube-proxy per node group are.
 */
export function podLists(daemonSets: readonly DaemonSetState[]): PodsOf[] {
  // Windows nodes are not judged, so that their pods need not be known.
  const judged = daemonSets.filter(({ role }) => role !== 'calico-node-windows')
  const ofSets = [...Map.groupBy(judged, likeness).values()].map(together)
  const roles = judged.map(({ role }) => role)
  return roles.includes('calico-node') && !roles.includes('kube-proxy') ? [...ofSets, ...staticProxies] : ofSets
}

/** Static pods, which no DaemonSet tells of, by the labels that installers give them; those that another controller owns are none. */
const staticProxies: readonly PodsOf[] = ['k8s-app', 'component'].map((key) => ({
  role: 'kube-proxy',
  namespace: 'kube-system',
  selector: { [key]: 'kube-proxy' },
  uid: [],
}))

function likeness({ role, namespace, selector, uid }: DaemonSetState): string {
  const [key, ...others] = Object.keys(selector)
  return JSON.stringify([role, namespace, key !== undefined && others.length === 0 ? key : { uid }])
}

function together(alike: readonly DaemonSetState[]): PodsOf {
  const [{ role, namespace, selector, uid }, ...others] = alike as [DaemonSetState, ...DaemonSetState[]]
  if (others.length === 0) return { role, namespace, selector, uid }
  const [key = ''] = Object.keys(selector)
  const values = [...new Set(alike.flatMap((it) => it.selector[key] ?? []))]
  return { role, namespace, selector: { [key]: values }, uid: alike.map((it) => it.uid) }
}
