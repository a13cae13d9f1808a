import type { KubeClient } from '../../clients/kube/client.ts'
import type { DaemonSetState, PodState } from '../../domain/cluster.ts'
import { clockSkew } from '../../domain/rollout/annotations.ts'
import { watchedSince } from '../../domain/rollout/at-once.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import { isReachedBy, longestSettle, remaining, type RolloutNow } from '../../domain/rollout/places.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { stepInput } from '../../domain/rollout/step-input.ts'
import type { StepInput } from '../../domain/rollout/step.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { isUnseen } from '../../domain/facts/applicability.ts'
import { failureOf, valueOf } from '../../domain/read.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'

export interface CalicoPods {
  set: DaemonSetState
  pods: PodState[]
  /** The number of missing pods of the DaemonSet. */
  missing: number
}

/** Why nothing may be concluded from pods, and every DaemonSet that was listed. */
export interface Unseen {
  unknown: string
  sets: DaemonSetState[]
}

/**
 * Only pods of the DaemonSet that runs calico-node. `unknown`: why nothing may be concluded from them. There is none, or Calico is
 * being migrated, or the DaemonSet is new and its controller has not counted its nodes yet: it may just adopt the pods
 * of an earlier one, one after the other.
 */
export const calicoPods = async (kube: KubeClient): Promise<CalicoPods | Unseen> => {
  const sets = needed(await kube.daemonSets())
  const [set, ...others] = sets.filter(({ role }) => role === 'calico-node')
  if (!set || others.length > 0) return { sets, unknown: 'there is not exactly one calico-node DaemonSet' }
  if (isUnseen(set)) return { sets, unknown: 'its controller has not yet seen the calico-node DaemonSet as it is now' }
  const { namespace, selector, uid, status } = set
  const listed = needed(await kube.pods({ role: 'calico-node', namespace, selector, uid }))
  const pods = listed.filter(({ daemonSet }) => daemonSet === uid)
  return { set, pods, missing: Math.max(0, status.desired - new Set(pods.map(({ node }) => node)).size) }
}

/**
 * Calico was removed, and no Felix runs any more: its pods would be adopted by another DaemonSet. Nothing is concluded from a
 * list without any DaemonSet. The Role in calico-system is there as long as the namespace: where pods may not be listed, the
 * namespace was deleted with them, or never was, as where Calico was installed by manifest.
 */
export const isRemoved = async (kube: KubeClient, { sets }: Unseen): Promise<boolean> => {
  if (sets.length === 0 || sets.some(({ role }) => role === 'calico-node')) return false
  const of = { role: 'calico-node', selector: { 'k8s-app': 'calico-node' } } as const
  const [here, there] = await Promise.all(
    ['kube-system', 'calico-system'].map((namespace) => kube.pods({ ...of, namespace })),
  )
  return valueOf(here)?.length === 0 && (valueOf(there)?.length === 0 || failureOf(there)?.kind === 'denied')
}

/** The DaemonSet misses pods, and not even one is listed. */
export const listsNone = ({ pods, missing = 0 }: Pick<StepInput, 'pods' | 'missing'>): boolean =>
  pods.length === 0 && missing > 0

export const unlisted = 'no pod of the calico-node DaemonSet is listed'

export const observeRollout = async (
  kube: KubeClient,
  rollout: Rollout,
  { pods, now }: { pods: PodState[]; now: Date },
): Promise<StepInput> => {
  const { where, phase, state } = rollout
  const ranged = phase === 'range' || state === 'aborting'
  const seen = ranged ? stepInput(needed(await kube.felixConfigurations([where.api])), pods, where) : onlyPods(pods)
  const bare = nodesWithoutPod(rollout, seen)
  if (bare.length === 0 && !hasJoined({ rollout, now: now.getTime() }, seen)) return { ...seen, left: new Set() }
  // The list of nodes is long: so it is read only then.
  const born = new Map(needed(agreeing(await kube.nodes(), pods)).map(({ name, createdAt }) => [name, createdAt]))
  const left = new Set(bare.filter((name) => !born.has(name)))
  // A finalizer may keep a pod for as long as it likes.
  return { ...seen, pods: seen.pods.filter((it) => !it.deletedAt || !left.has(it.node)), born, left }
}

const onlyPods = (pods: PodState[]): StepInput => ({
  pods,
  objects: [],
  rangeOn: () => undefined,
  setsOwnRange: () => false,
  defaultRange: undefined,
})

/** A touched node without a pod, or with one that was deleted, has left the cluster, or waits for its pod. */
const nodesWithoutPod = (rollout: Rollout, { objects, pods }: StepInput): string[] => {
  const overridden = objects.filter(isReachedBy(rollout)).map(overriddenNode)
  const occupied = new Set(pods.filter(({ deletedAt }) => !deletedAt).map(({ node }) => node))
  return [...rollout.touching.map(({ node }) => node), ...overridden].filter((node) => !occupied.has(node))
}

/** A new pod that has not stayed well may be that of a node that joined after `default` was written. */
const hasJoined = (current: RolloutNow, seen: StepInput): boolean => {
  const { rollout } = current
  const since = rollout.state === 'aborting' ? undefined : watchedSince(current, seen)
  if (since === undefined) return false
  return seen.pods.some((pod) => {
    const flight = { node: pod.node, pod, changedAt: pod.createdAt }
    const isNew = milliseconds(pod.createdAt) > since - clockSkew
    return isNew && remaining(current, flight, longestSettle(rollout)) !== undefined
  })
}
