import type { PodsOf } from '../../clients/kube/client.ts'
import type { DaemonSetState, PodState } from '../../domain/cluster.ts'

/**
 * The lists that contain the DaemonSets' pods: one for each DaemonSet, or one for several with the same role in one
 * namespace that differ in one label only, such as copies of kube-proxy for each node group.
 */
export function podLists(daemonSets: readonly DaemonSetState[]): PodsOf[] {
  // Windows nodes are not assessed, and for neighbours the DaemonSet is enough: their pods are not read.
  const judged = daemonSets.filter(isJudged)
  const ofSets = [...Map.groupBy(judged, likeness).values()].map(together)
  const roles = judged.map(({ role }) => role)
  return roles.includes('calico-node') && !roles.includes('kube-proxy') ? [...ofSets, ...staticProxies] : ofSets
}

/**
 * Static pods, which belong to no DaemonSet, by the labels that installers set; pods that another controller owns are
 * not static.
 */
const staticProxies: readonly PodsOf[] = ['k8s-app', 'component'].map((key) => ({
  role: 'kube-proxy',
  namespace: 'kube-system',
  selector: { [key]: 'kube-proxy' },
  uid: [],
}))

type Judged = DaemonSetState & Pick<PodState, 'role'>

const isJudged = (it: DaemonSetState): it is Judged => it.role === 'kube-proxy' || it.role === 'calico-node'

function likeness({ role, namespace, selector, uid }: DaemonSetState): string {
  const [key, ...others] = Object.keys(selector)
  return JSON.stringify([role, namespace, key !== undefined && others.length === 0 ? key : { uid }])
}

function together(alike: readonly Judged[]): PodsOf {
  const [{ role, namespace, selector, uid }, ...others] = alike as [Judged, ...Judged[]]
  if (others.length === 0) return { role, namespace, selector, uid }
  const [key = ''] = Object.keys(selector)
  const values = [...new Set(alike.flatMap((it) => it.selector[key] ?? []))]
  return { role, namespace, selector: { [key]: values }, uid: alike.map((it) => it.uid) }
}
