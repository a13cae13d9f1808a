import type { NodeState } from '../cluster.ts'
import type { Rollout } from './rollout.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

/** A Lease holds 256 KiB of annotations; beyond some 2,000 nodes the budget alone has to do. */
const mostCharacters = 96_000

/** Nodes by availability zone, where more than one node may be disturbed at a time and there is more than one zone. */
export const zonesToKeep = (nodes: NodeState[], atOnce: number): Rollout['zones'] => {
  if (atOnce < 2) return undefined
  const zones = Object.groupBy(nodes, ({ labels }) => labels[zoneLabel] ?? '')
  const names = Object.entries(zones).map(([zone, members = []]) => [zone, members.map(({ name }) => name)] as const)
  const kept = Object.fromEntries(names.filter(([zone]) => zone !== ''))
  const few = Object.keys(zones).length < 2 || JSON.stringify(kept).length > mostCharacters
  return few ? undefined : kept
}

/** The zone of each node; nodes that joined later, and those without a zone, count as one zone more. */
export const zoneOf = ({ zones = {} }: Pick<Rollout, 'zones'>): ((node: string) => string) => {
  const known = new Map(Object.entries(zones).flatMap(([zone, nodes]) => nodes.map((node) => [node, zone] as const)))
  return (node) => known.get(node) ?? ''
}

/**
 * Which nodes may be changed while others are not settled: only nodes of the same zone. A workload that spreads its replicas over zones
 * can lose one zone's and never two's; and one zone is finished before the next is begun. Those that go last wait until
 * nobody is left but them. `candidates` are in the order of their turn.
 */
export const besideInZone = <T extends { node: string }>(
  rollout: Rollout,
  candidates: T[],
  unsettled: string[],
): T | undefined => {
  const zone = zoneOf(rollout)
  const last = new Set(rollout.last)
  const isTurn = candidates.every(({ node }) => last.has(node)) ? () => true : (node: string) => !last.has(node)
  return candidates.find(({ node }) => isTurn(node) && unsettled.every((other) => zone(other) === zone(node)))
}
