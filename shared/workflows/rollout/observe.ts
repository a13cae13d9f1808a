import type { KubeClient } from '../../clients/kube/client.ts'
import type { PodState } from '../../domain/cluster.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { stepInput } from '../../domain/rollout/step-input.ts'
import type { StepInput } from '../../domain/rollout/step.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'

export interface CalicoPods {
  pods: PodState[]
  /** The number of missing pods of the DaemonSet. */
  missing: number
}

/** Only pods of the DaemonSet that runs calico-node. Undefined: there is none, or Calico is being migrated. */
export const calicoPods = async (kube: KubeClient): Promise<CalicoPods | undefined> => {
  const [set, ...others] = needed(await kube.daemonSets()).filter(({ role }) => role === 'calico-node')
  if (!set || others.length > 0) return undefined
  const { namespace, selector, uid, status } = set
  const listed = needed(await kube.pods({ role: 'calico-node', namespace, selector, uid }))
  const pods = listed.filter(({ daemonSet }) => daemonSet === uid)
  return { pods, missing: Math.max(0, status.desired - new Set(pods.map(({ node }) => node)).size) }
}

export const observeRollout = async (
  kube: KubeClient,
  { where, phase, state, touching }: Rollout,
  pods: PodState[],
): Promise<StepInput> => {
  const ranged = phase === 'range' || state === 'aborting'
  const seen = ranged ? stepInput(needed(await kube.felixConfigurations([where.api])), pods, where) : onlyPods(pods)
  return { ...seen, left: await nodesThatLeft(kube, touching, seen) }
}

const onlyPods = (pods: PodState[]): StepInput => ({
  pods,
  objects: [],
  rangeOn: () => undefined,
  setsOwnRange: () => false,
  defaultRange: undefined,
})

/**
 * A touched node without a pod has left the cluster, or waits for its pod: only then the list of nodes is read,
 * because it is long.
 */
const nodesThatLeft = async (
  kube: KubeClient,
  touching: Rollout['touching'],
  { objects, pods }: StepInput,
): Promise<Set<string>> => {
  const overridden = objects.filter(isOurs).map(overriddenNode)
  const occupied = new Set(pods.map(({ node }) => node))
  const bare = [...touching.map(({ node }) => node), ...overridden].filter((node) => !occupied.has(node))
  if (bare.length === 0) return new Set()
  const there = new Set(needed(agreeing(await kube.nodes(), pods)).map(({ name }) => name))
  return new Set(bare.filter((name) => !there.has(name)))
}
