import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'

/** `v1.36.3-eks-1a2b3c4` → 36; undefined if it was not read or is invalid. */
export const kubernetesMinor = (state: ClusterState): number | undefined => {
  const text = valueOf(state.kubernetesVersion) ?? valueOf(state.eks)?.version
  const found = /^v?1\.(\d{1,3})(?:\D|$)/.exec(text ?? '')
  return found ? Number(found[1]) : undefined
}
