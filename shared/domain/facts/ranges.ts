import type { ClusterState, NodePortUse } from '../cluster.ts'
import type { PortRange } from '../ports.ts'
import { normalise } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { ServiceRange } from '../report.ts'

/** kube-apiserver's default, and EKS's for a cluster that never set another. */
const builtIn = { min: 30000, max: 32767 }

/**
 * The API server's range. EKS's answer wins over a range that was given; an answer without a range means the default. Where
 * no EKS API answers, the range that was given or probed counts; else the default is assumed, which proves nothing.
 */
export function serviceRangeOf(state: ClusterState): ServiceRange {
  const eks = valueOf(state.eks)
  if (!eks) return state.givenServiceRange ?? { ...builtIn, source: 'default' }
  const { min, max } = eks.serviceNodePortRange ?? builtIn
  return { min, max, source: 'eks-api' }
}

export interface Desired {
  /** Absent where the Services could not be read. */
  ranges?: PortRange[]
  /** Node ports in use outside the service range. */
  strays: NodePortUse[]
}

/** Service range plus stray ports, never a port more. */
export function desiredOf(state: ClusterState, { min, max }: ServiceRange): Desired {
  const uses = valueOf(state.nodePorts)
  if (!uses) return { strays: [] }
  const strays = uses.filter(({ port }) => port < min || port > max)
  return { ranges: normalise([{ min, max }, ...strays.map(({ port }) => ({ min: port, max: port }))]), strays }
}
