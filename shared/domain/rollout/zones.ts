import type { NodeState } from '../cluster.ts'
import type { Rollout } from './rollout.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

/** A Lease has at most 256 KiB of annotations; for more than about 2,000 nodes only the budget is used. */
const mostCharacters = 96_000

/** Nodes by availability zone, if more than one node may be disturbed at a time and there is more than one zone. */
export const zonesToKeep = (nodes: NodeState[], atOnce: number): Rollout['zones'] => {
  if (atOnce < 2) return undefined
  const zones = Object.groupBy(nodes, ({ labels }) => labels[zoneLabel] ?? '')
  const names = Object.entries(zones).map(([zone, members = []]) => [zone, members.map(({ name }) => name)] as const)
  const kept = Object.fromEntries(names.filter(([zone]) => zone !== ''))
  const few = Object.keys(zones).length < 2 || JSON.stringify(kept).length > mostCharacters
  return few ? undefined : kept
}

/** The zone of each node; nodes that joined later, and those without a zone, form one additional zone. */
export const zoneOf = ({ zones = {} }: Pick<Rollout, 'zones'>): ((node: string) => string) => {
  const known = new Map(Object.entries(zones).flatMap(([zone, nodes]) => nodes.map((node) => [node, zone] as const)))
  return (node) => known.get(node) ?? ''
}

/**
 * The next node that may be changed while others are not settled: only a node of the same zone. A workload with
 * replicas in several zones can then lose the replicas of one zone at most; one zone is finished before the next one
 * begins. The nodes that go last wait until only they are left. `candidates` are in order.
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
