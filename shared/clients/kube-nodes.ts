import type { NodePortUse, NodeState } from '../domain/cluster.ts'
import { type Foreign, numberOf, objectOf, objectsOf, present, textOf } from './foreign.ts'
import { conditionOf, metadataOf } from './kube-metadata.ts'

export function nodeOf(node: Foreign): NodeState {
  const { name, labels, createdAt } = metadataOf(node)
  const { holds: ready, since: readySince } = conditionOf(node, 'Ready')
  const status = objectOf(node['status'])
  return present<NodeState>({
    name,
    labels,
    createdAt,
    ready,
    readySince,
    unschedulable: objectOf(node['spec'])['unschedulable'] === true,
    podsMax: countOf(objectOf(status['allocatable'])['pods']),
    kubeletVersion: textOf(objectOf(status['nodeInfo'])['kubeletVersion']),
    kernelVersion: textOf(objectOf(status['nodeInfo'])['kernelVersion']),
  })
}

/** A Kubernetes quantity of whole things: `"110"`, sometimes `"1k"`. */
function countOf(quantity: unknown): number | undefined {
  const [, digits, thousands] = /^(\d+)(k?)$/.exec(textOf(quantity) ?? '') ?? []
  return digits === undefined ? undefined : Number(digits) * (thousands ? 1_000 : 1)
}

/** The node ports that one Service holds. */
export function nodePortsOf(service: Foreign): NodePortUse[] {
  const { namespace, name } = metadataOf(service)
  const spec = objectOf(service['spec'])
  const held = (port: unknown, field: NodePortUse['field'], protocol?: string): NodePortUse[] => {
    const number = numberOf(port)
    return number ? [present<NodePortUse>({ port: number, service: `${namespace}/${name}`, field, protocol })] : []
  }
  return [
    ...objectsOf(spec['ports']).flatMap((port) => held(port['nodePort'], 'nodePort', textOf(port['protocol']))),
    ...held(spec['healthCheckNodePort'], 'healthCheckNodePort'),
  ]
}
