import type { ClusterState, PodState } from '../cluster.ts'
import { logOf, podId } from '../proxy-mode/samples.ts'
import type { Evidence } from '../report.ts'
import { valueOf } from '../read.ts'

/**
 * Where Felix says that `kube-ipvs0` is there though it does not use it: its own log where it was read, else the logs of
 * the other pods of the same template, where all that were read say so.
 */
export function leftLinks(state: ClusterState): (pod: PodState | undefined) => Evidence[] {
  const groups = Map.groupBy(
    (valueOf(state.pods) ?? []).filter(({ role }) => role === 'calico-node'),
    templateOf,
  )
  return (pod) => {
    if (!pod) return []
    const own = logOf(state, pod)
    const others = own ? [pod] : (groups.get(templateOf(pod)) ?? []).filter((it) => logOf(state, it))
    const seen = others.flatMap((it) => evidenceOf(state, it))
    return seen.length === others.length ? seen.slice(0, 5) : []
  }
}

const templateOf = ({ daemonSet, revision }: PodState): string => `${daemonSet} ${revision}`

function evidenceOf(state: ClusterState, pod: PodState): Evidence[] {
  const seen = logOf(state, pod)?.linkSeen
  return seen ? [{ object: `Pod/${podId(pod)}`, field: 'log', value: seen.line, ...(seen.at && { at: seen.at }) }] : []
}
