import { calicoSets } from './applicability.ts'
import type { ClusterState, PodState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import type { CalicoVersion } from '../version.ts'
import { atLeast, parseVersion, versionOfImage } from '../version.ts'

/**
 * Calico's version on a node, from the pod's image, because nodes differ during an upgrade. If the image is named by
 * digest: from Calico or the operator, unless the image is not open-source Calico.
 */
export function calicoVersions(state: ClusterState): (pod: PodState | undefined) => CalicoVersion | undefined {
  const written = clusterVersion(state)
  const byImage = new Map<string, CalicoVersion | undefined>()
  return (pod) => {
    if (!pod) return written
    if (!byImage.has(pod.image)) byImage.set(pod.image, versionOfImage(pod.image) ?? written)
    return byImage.get(pod.image)
  }
}

const clusterVersion = (state: ClusterState): CalicoVersion | undefined =>
  parseVersion(valueOf(state.clusterInformation)?.calicoVersion) ??
  parseVersion(valueOf(state.installation)?.calicoVersion)

/** The oldest version during an upgrade: its restrictions apply to all. */
export function oldestCalico(
  nodes: readonly { version?: CalicoVersion }[],
  state: ClusterState,
): CalicoVersion | undefined {
  const found = nodes.flatMap(({ version }) => version ?? [])
  const oldest = found.reduce<CalicoVersion | undefined>(
    (a, b) => (!a || atLeast(a, b.text.slice(1)) ? b : a),
    undefined,
  )
  return oldest ?? (calicoSets(state).length > 0 ? calicoVersions(state)(undefined) : undefined)
}
