import type { ClusterState, DaemonSetState, NodeState } from '../cluster.ts'
import { type MarkingProgram, markVariables } from '../mark.ts'
import { selects } from '../placement.ts'
import { valueOf } from '../read.ts'

/** Which programs mark packets on a node: those whose DaemonSet puts a pod there. */
export function markingPrograms(state: ClusterState, node: NodeState, vpcCni: boolean): MarkingProgram[] {
  const sets = neighbours(state)
  const here = sets.filter((set) => set.status.desired > 0 && selects(set, node)).flatMap(programOf)
  // Known from the operator's Installation, or from EKS if the DaemonSet itself was not read.
  const unseen = vpcCni && !sets.some(({ neighbour }) => neighbour === 'vpc-cni')
  return unseen ? [...here, { neighbour: 'vpc-cni' }] : here
}

const neighbours = (state: ClusterState): DaemonSetState[] =>
  (valueOf(state.daemonSets) ?? []).filter(({ role }) => role === 'neighbour')

function programOf({ neighbour, namespace, name, template }: DaemonSetState): MarkingProgram[] {
  if (!neighbour) return []
  const variable = template.env.findLast(({ name: one }) => one === markVariables[neighbour])
  const object = `DaemonSet/${namespace}/${name}`
  const { value, from } = variable ?? {}
  const hidden = from && ('configMap' in from ? `ConfigMap ${from.configMap}` : from.unknown)
  const shown = value ?? hidden ?? template.image
  const evidence = { object, field: variable ? `env ${variable.name}` : 'image', value: shown }
  return [{ neighbour, evidence, ...(value !== undefined && { value }), ...(hidden !== undefined && { hidden }) }]
}
