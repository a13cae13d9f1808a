import type { ClusterState, NodePortUse } from '../cluster.ts'
import type { PortRange } from '../ports.ts'
import { normalise } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { ServiceRange } from '../report.ts'

/** The default of kube-apiserver and of EKS. */
const builtIn = { min: 30000, max: 32767 }

/**
 * The API server's range. EKS's answer takes precedence over a given range; an answer without a range means the
 * default. If no EKS API answers, the given or probed range counts; else the default is assumed, which proves
 * nothing.
 */
export function serviceRangeOf(state: ClusterState): ServiceRange {
  const eks = valueOf(state.eks)
  if (!eks) return state.givenServiceRange ?? { ...builtIn, source: 'default' }
  const { min, max } = eks.serviceNodePortRange ?? builtIn
  return { min, max, source: 'eks-api' }
}

export interface Desired {
  /** Absent if the Services could not be read. */
  ranges?: PortRange[]
  /** Node ports in use outside the service range. */
  strays: NodePortUse[]
}

/** Service range plus stray ports, no other port. */
export function desiredOf(state: ClusterState, { min, max }: ServiceRange): Desired {
  const uses = valueOf(state.nodePorts)
  if (!uses) return { strays: [] }
  const strays = uses.filter(({ port }) => port < min || port > max)
  return { ranges: normalise([{ min, max }, ...strays.map(({ port }) => ({ min: port, max: port }))]), strays }
}
