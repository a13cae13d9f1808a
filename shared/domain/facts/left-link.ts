import type { ClusterState, PodState } from '../cluster.ts'
import { logOf, podId } from '../proxy-mode/samples.ts'
import type { Evidence } from '../report.ts'
import { valueOf } from '../read.ts'

/**
 * Evidence that Felix ignores an existing `kube-ipvs0`: from its own log if it was read, else from the logs of the
 * other pods of the same template, if all that were read agree.
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
