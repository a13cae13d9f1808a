import type { FelixObject, PodState } from '../cluster.ts'
import { counted } from '../counted.ts'
import type { StepInput } from './step.ts'
import { budget } from '../policy/policy.ts'
import { overriddenNode, overrideName } from './range-writes.ts'
import { clockSkew, rangeAnnotation } from './annotations.ts'
import { isMarked, isOurs } from './marks.ts'
import { writtenBefore } from './memory.ts'
import { changedAt } from './on-record.ts'
import { milliseconds } from '../rfc3339.ts'
import type { Rollout } from './rollout.ts'
import { zoneOf } from './zones.ts'

export interface RolloutNow {
  rollout: Rollout
  now: number
}

export interface RolloutNode {
  node: string
  pod: PodState
  range?: string
  /** The override on the node, and when it was last written. */
  override?: FelixObject
  changedAt?: string
  /**
   * Somebody changed or copied the override, or gave the node a range of its own after the rollout began: the rollout
   * waits for the node but does not touch the object.
   */
  foreign?: true
}

/** The first node is changed alone and must stay well for longer; after it the budget applies. */
export const paceAfter = ({ pace }: Rollout, touched: number, inScope: number): { settle: number; limit: number } =>
  touched <= 1
    ? { settle: pace.canarySeconds, limit: 1 }
    : { settle: pace.settleSeconds, limit: budget(pace.maxUnavailable, inScope) }

/** `touched`: the number of nodes with an override that has the target. */
export const rangePace = (
  { rollout }: RolloutNow,
  { defaultRange }: StepInput,
  places: RolloutNode[],
): { settle: number; limit: number; touched: number } => {
  const touched = places.filter((it) => it.override?.annotations[rangeAnnotation] === rollout.target).length
  // When overrides are removed again, the last one must not count as the first node.
  const promoted = defaultRange === rollout.target
  return { ...paceAfter(rollout, promoted ? places.length : touched, places.length), touched }
}

/**
 * Nodes whose pod was deleted, with the replacement pod. Excludes nodes that have left the cluster, and nodes whose
 * pod still exists (it was noted but not yet deleted).
 */
export const flightsOf = ({ touching }: Rollout, { pods, left }: StepInput): Flight[] =>
  touching
    .filter(({ node, pod }) => !left?.has(node) && !pods.some(({ name, deletedAt }) => name === pod && !deletedAt))
    .map(({ node, pod, at }) => ({ node, pod: replacement(pods, node, pod), changedAt: at }))

/** The number of pods to be restarted that are already deleted. */
const restarted = (restart: string[], pods: PodState[]): number => {
  const there = new Set(pods.filter(({ deletedAt }) => !deletedAt).map(({ name }) => name))
  return restart.filter((name) => !there.has(name)).length
}

export const restartPace = (rollout: Rollout, { pods }: StepInput): { settle: number; limit: number } =>
  paceAfter(rollout, restarted(rollout.restart, pods), pods.length)

export const replacement = (pods: PodState[], node: string, old: string): PodState | undefined =>
  pods.find((it) => it.node === node && it.name !== old && !it.deletedAt)

/** One pod for each node. A node whose pod is terminating is not well until another pod has taken its place. */
export const presentPods = (pods: PodState[]): PodState[] => {
  const alive = new Set(pods.filter(({ deletedAt }) => !deletedAt).map(({ node }) => node))
  return pods
    .filter(({ node, deletedAt }) => !(deletedAt && alive.has(node)))
    .map((pod) => (pod.deletedAt ? { ...pod, ready: false, readySince: pod.deletedAt } : pod))
}

export const placesOf = (current: RolloutNow, { objects, pods, rangeOn, setsOwnRange }: StepInput): RolloutNode[] => {
  const { rollout } = current
  const byName = new Map(objects.map((it) => [it.name, it]))
  const skip = new Set(rollout.skip)
  const isWritten = isWrittenBy(rollout)
  return presentPods(pods)
    .filter(({ node }) => !skip.has(node))
    .map((pod) => {
      const object = byName.get(overrideName(pod.node))
      const override = object && (isMarked(object) || isWritten(object)) ? object : undefined
      const range = rangeOn(pod)
      const isSealed = object !== undefined && isOurs(object)
      return {
        node: pod.node,
        pod,
        ...(range !== undefined && { range }),
        ...(override && { override, changedAt: changedAt(current, override, isSealed) }),
        ...(object && (override || setsOwnRange(pod)) && !isSealed && { foreign: true as const }),
      }
    })
}

/** Somebody may take the marks from an override and leave the range: Felix restarted for it all the same. */
export const isWrittenBy = (rollout: Rollout): ((object: FelixObject) => boolean) => {
  const { target } = rollout
  const before = writtenBefore(rollout)
  return ({ name, annotations }) =>
    target !== undefined && annotations[rangeAnnotation] === target && before(name) !== 'no'
}

/** An override that this rollout wrote, also where somebody took its marks or changed it; not that of a node that was left out. */
export const isReachedBy = (rollout: Rollout): ((object: FelixObject) => boolean) => {
  const isWritten = isWrittenBy(rollout)
  const before = writtenBefore(rollout)
  const apart = new Set(rollout.apart)
  const isChanged = (it: FelixObject) => isMarked(it) && before(it.name) !== 'no'
  return (object) =>
    (isOurs(object) || (/^node\../.test(object.name) && (isWritten(object) || isChanged(object)))) &&
    !apart.has(overriddenNode(object))
}

/** The nodes of a rollout, in order: for plan, status and the rollout itself. Nodes in `skip` are already excluded. */
export const pendingPlaces = <T extends Reached>(turns: Turns & Pick<Rollout, 'target'>, places: T[]): T[] =>
  ordered(
    turns,
    places.filter((place) => isMeant(place, turns.target)),
  )

/** A node with calico-node, in any mode of kube-proxy: `default` applies to it as well. */
type Reached = Pick<RolloutNode, 'node' | 'range' | 'foreign'> & { pod: Pick<PodState, 'ready'> }

/**
 * Nodes that were not well before the rollout are left out: they get the value from `default` when they are Ready
 * again.
 */
const isMeant = ({ range, pod, foreign }: Reached, target: string | undefined): boolean =>
  range !== target && pod.ready && !foreign

type Turns = Pick<Rollout, 'canary' | 'last' | 'zones'>

/** The first node, then the rest of its zone, then zone after zone; then those that go last. */
export const ordered = <T extends { node: string }>(turns: Turns, places: T[]): T[] => {
  const { canary } = turns
  const last = new Set(turns.last)
  const zone = zoneOf(turns)
  const first = canary === undefined ? undefined : zone(canary)
  const turn = (node: string) => (node === canary ? 0 : last.has(node) ? 3 : zone(node) === first ? 1 : 2)
  const rank = ({ node }: T): string => `${turn(node)} ${zone(node)} ${node}`
  return places.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

export interface Flight {
  node: string
  pod?: PodState | undefined
  changedAt?: string
}

/**
 * The number of seconds that a node must still stay well; `undefined`: none. Felix is down for only two or three
 * seconds, which a readiness probe may miss. So the pod must be Ready for a time; a transition to Ready is not
 * required.
 */
export const remaining = ({ now }: RolloutNow, { pod, changedAt }: Flight, settle: number): number | undefined => {
  if (!changedAt) return undefined
  if (!pod?.ready) return settle
  const since = lastOf(now, changedAt, pod.readySince)
  const left = settle - (now - since) / 1000
  return left > 0 ? left : undefined
}

/** Not Ready since before it was touched: our write is not the cause. A node's clock may be behind ours. */
export const wasUnwell = ({ pod, changedAt = '' }: Flight): boolean =>
  pod?.ready === false && milliseconds(pod.readySince ?? '') < milliseconds(changedAt) - clockSkew

/** Counted from when it was touched or, later, from when it stopped being Ready. */
export const isLate = (current: RolloutNow, it: Flight, settle: number): boolean =>
  it.changedAt !== undefined && (isLateAtLast(current, it) || isOverdue(current, it, settle))

/** By its last transition alone. */
const isLateAtLast = ({ now, rollout }: RolloutNow, { pod, changedAt }: Flight): boolean => {
  const since = lastOf(now, changedAt, pod?.readySince ?? pod?.createdAt)
  return !pod?.ready && now - since > rollout.pace.nodeDeadlineSeconds * 1000
}

/**
 * By what is remembered: it has not been Ready since its deadline, or failed again later than it would have needed to
 * settle after the deadline. One that was Ready then has that time, whether it is seen while it fails or just after.
 */
export const isOverdue = ({ now, rollout }: RolloutNow, { node, pod }: Flight, settle: number): boolean => {
  const known = rollout.unwell?.find((it) => it.node === node)
  if (!known) return false
  const until = milliseconds(known.since) + rollout.pace.nodeDeadlineSeconds * 1000
  const changed = lastOf(now, pod?.readySince)
  const wasReady = pod?.ready || changed > until
  return (pod?.ready ? changed : now) > until + (wasReady ? settle * 1000 : 0)
}

/** Whichever node it is. */
export const longestSettle = ({ pace }: Pick<Rollout, 'pace'>): number =>
  Math.max(pace.canarySeconds, pace.settleSeconds)

/** An invalid time counts as now, so that a forged text does not make a node settled. */
export const lastOf = (now: number, ...times: (string | undefined)[]): number => {
  const moments = times.flatMap((time) => (time === undefined ? [] : milliseconds(time)))
  return Math.max(...moments.map((it) => (it <= now + clockSkew ? it : now)))
}

export const notWell = (current: RolloutNow, it: Flight): string => {
  const { rollout } = current
  const { node, pod } = it
  const state = pod
    ? `${pod.name} was not Ready${pod.waiting ? ` (${pod.waiting}, ${counted(pod.restartCount, 'restart')})` : ''}`
    : 'there was no calico-node pod'
  const change = rollout.phase === 'range' ? 'its node-port range was changed' : 'its restart'
  const since = rollout.unwell?.find((it) => it.node === node)?.since
  if (since === undefined || (pod && isLateAtLast(current, it)))
    return `${node}: ${state} ${rollout.pace.nodeDeadlineSeconds} s after ${change}`
  return `${node}: not well since ${since}, after ${change}: ${pod?.ready ? `${pod.name} failed again and again` : state}`
}
