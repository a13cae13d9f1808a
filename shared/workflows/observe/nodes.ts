import type { NodeState } from '../../domain/cluster.ts'
import { counted } from '../../domain/counted.ts'
import { failed, type Read, valueOf } from '../../domain/read.ts'

/**
 * A list of nodes without any node of the listed pods is inconsistent. (The pods of a deleted node remain for a
 * minute, but not of all nodes.) Nothing may be concluded from it, especially not that calico-node should run on no
 * node, or that a node has left the cluster.
 */
export function agreeing(nodes: Read<NodeState[]>, pods: readonly { node: string }[]): Read<NodeState[]> {
  const [listed, occupied] = [valueOf(nodes), pods.map(({ node }) => node).filter(Boolean)]
  const names = new Set(listed?.map(({ name }) => name))
  if (!listed || occupied.length === 0 || occupied.some((node) => names.has(node))) return nodes
  const message = `The list of ${counted(listed.length, 'node')} contains none of the nodes of the listed pods, for example ${occupied[0]}.`
  return failed({ kind: 'unavailable', object: 'Nodes', message })
}
