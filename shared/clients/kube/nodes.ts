import type { NodePortUse, NodeState, Taint } from '../../domain/cluster.ts'
import { type Foreign, numberOf, objectOf, objectsOf, present, textOf } from '../foreign.ts'
import { conditionOf, metadataOf } from './metadata.ts'

export function nodeOf(node: Foreign): NodeState {
  const { name, labels, annotations, createdAt } = metadataOf(node)
  const taints = taintsOf(objectOf(node['spec'])['taints'])
  const { holds: ready, since: readySince } = conditionOf(node, 'Ready')
  const status = objectOf(node['status'])
  return present<NodeState>({
    name,
    labels,
    calicoLabels: calicoLabelsOf(annotations['projectcalico.org/labels'], labels),
    createdAt,
    ready,
    readySince,
    unschedulable: objectOf(node['spec'])['unschedulable'] === true,
    taints: taints.length > 0 ? taints : undefined,
    podsMax: countOf(objectOf(status['allocatable'])['pods']),
    kubeletVersion: textOf(objectOf(status['nodeInfo'])['kubeletVersion']),
    kernelVersion: textOf(objectOf(status['nodeInfo'])['kernelVersion']),
  })
}

/**
 * Labels that calicoctl and the operator set on a node for Calico only. Parsed like a Go map of texts: with one value
 * of another type Calico ignores all of them; a null is an empty text.
 */
function calicoLabelsOf(text: string | undefined, own: Record<string, string>): Record<string, string> | undefined {
  const entries = Object.entries(objectOf(jsonOf(text))).map(([key, value]) => [key, value ?? ''] as const)
  if (entries.some(([, value]) => typeof value !== 'string')) return undefined
  const more = entries.filter((entry): entry is readonly [string, string] => !Object.hasOwn(own, entry[0]))
  return more.length > 0 ? Object.fromEntries(more) : undefined
}

function jsonOf(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

const taintsOf = (taints: unknown): Taint[] =>
  objectsOf(taints).map((it) =>
    present<Taint>({ key: textOf(it['key']) ?? '', value: textOf(it['value']), effect: textOf(it['effect']) ?? '' }),
  )

/** An integer Kubernetes quantity: `"110"`, sometimes `"1k"`. */
function countOf(quantity: unknown): number | undefined {
  const [, digits, thousands] = /^(\d+)(k?)$/.exec(textOf(quantity) ?? '') ?? []
  return digits === undefined ? undefined : Number(digits) * (thousands ? 1_000 : 1)
}

/** The node ports of one Service. */
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
