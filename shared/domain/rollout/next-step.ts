import type { FelixObject } from '../cluster.ts'
import type { Strategy } from '../report.ts'
import { type Rollout, takesBack } from './rollout.ts'
import { abortStep, overridden } from './abort-step.ts'
import { rangeAnnotation } from './annotations.ts'
import { atOncePlaces, momentOf } from './at-once.ts'
import { isOurs } from './marks.ts'
import { isRestored, lastWriter, writtenBefore } from './memory.ts'
import { changedAt, changeTime } from './on-record.ts'
import { milliseconds } from '../rfc3339.ts'
import { objectName } from '../felix/layer.ts'
import { present } from './present.ts'
import { deafReason, lost, refused, revertedReason, revertedStep, troubleWith, withUnwell } from './halt-step.ts'
import {
  type Flight,
  type RolloutNow,
  flightsOf,
  isLate,
  isOverdue,
  isReachedBy,
  lastOf,
  pendingPlaces,
  type RolloutNode,
  placesOf,
  rangePace,
  remaining,
  restartPace,
} from './places.ts'
import { defaultIn, overriddenNode, overrideOn } from './range-writes.ts'
import { lateFlight, othersStarted, restartStep } from './restart-step.ts'
import { type StepInput, settling, type Step, wait } from './step.ts'
import { type Settling, unwellNow } from './unwell.ts'
import { besideInZone } from './zones.ts'

/**
 * Decides the next step from the current state only, so nodes that joined or left, and steps that were applied twice
 * or interrupted, need no special handling. `now` is RFC 3339.
 */
export const nextStep = (rollout: Rollout, seen: StepInput, now: string): Step => {
  const current = rememberingUnwell({ rollout, now: Date.parse(now) }, seen)
  if (rollout.state === 'aborting') return abortStep(current, seen)
  if (rollout.phase === 'restarts') return restartStep(current, seen) ?? { do: 'finish' }
  return rangeStep(current, seen) ?? (rollout.restart.length > 0 ? beforeRestarts(current, seen) : { do: 'finish' })
}

/** `default` reaches the nodes that were left out, and that may have come back since: while pods are restarted, nobody waits for them. */
const beforeRestarts = (current: RolloutNow, { objects }: StepInput): Step => {
  const base = defaultIn(objects)
  const isWritten = base && momentOf(current, base) !== undefined
  const since = isWritten ? changeTime(current, base) : 0
  const left = current.rollout.pace.settleSeconds - (current.now - since) / 1000
  return left > 0 ? wait([left], settling) : { do: 'begin-restarts' }
}

/** The rollout with what is now to be remembered of its touched nodes. */
export const rememberingUnwell = (current: RolloutNow, seen: StepInput): RolloutNow => {
  const unwell = unwellNow(current, touchedNodes(current, seen))
  return { ...current, rollout: { ...current.rollout, unwell } }
}

const touchedNodes = (current: RolloutNow, seen: StepInput): Settling[] => {
  const { rollout } = current
  const { settleSeconds } = rollout.pace
  const flights = flightsOf(rollout, seen)
  if (takesBack(rollout)) return [...settlingFor(settleSeconds, flights), ...overridden(current, seen)]
  if (rollout.phase === 'restarts')
    return settlingFor(restartPace(rollout, seen).settle, [...flights, ...othersStarted(current, seen)])
  const places = placesOf(current, seen)
  const away = awayFrom(current, seen).filter(({ node }) => !seen.left?.has(node))
  return [
    ...settlingFor(rangePace(current, seen, places).settle, [...places, ...flights, ...away]),
    ...settlingFor(settleSeconds, atOncePlaces(current, seen, places)),
  ]
}

const settlingFor = (settle: number, flights: Flight[]): Settling[] => flights.map((it) => ({ ...it, settle }))

const rangeStep = (current: RolloutNow, seen: StepInput): Step | undefined => {
  const { target, pace } = current.rollout
  // The reason for our overrides no longer exists: they are removed one by one as well.
  if (target === undefined) return cleanUp(current, seen)
  const places = placesOf(current, seen)
  if (seen.trouble) return refused(current, places, seen.trouble)
  // Also with an earlier target: such a node was disturbed as well, and may still restart.
  const changed = places.filter((it) => it.changedAt)
  const { settle, limit, touched } = rangePace(current, seen, places)
  const trouble = troubleWith(current, changed, { target, settle })
  if (trouble) return trouble
  // Pods that were deleted before the range became the target.
  const flights = flightsOf(current.rollout, seen)
  const late = lateFlight(current, flights, { seen, settle })
  if (late) return late
  const fight = revertedStep(current, places, seen)
  if (fight) return fight
  const away = awayFrom(current, seen)
  const isBack = isRestored(current.rollout)
  const gone = away.find(({ node, object }) => seen.left?.has(node) && isOurs(object) && !isBack(object))
  if (gone) return { do: 'remove-override', object: gone.object }
  const missing = away.filter(({ node }) => !seen.left?.has(node))
  const bare = missing.find((it) => isOverdue(current, it, settle))
  if (bare) return { ...lost(current, bare, wroteOn(bare)), takeBack: [bare.node] }
  const atOnce = atOncePlaces(current, seen, places)
  const ill = atOnce.find((it) => isLate(current, it, pace.settleSeconds))
  if (ill) {
    const wrote = { object: objectName('default'), ...present({ value: seen.defaultRange }) }
    // The value before an earlier range is not restored: nobody wants either of them any more.
    if (seen.defaultRange !== target) return lost(current, ill, wrote)
    return { ...lost(current, ill, wrote), takeBack: withUnwell(ill, atOnce), restore: true }
  }
  const waits = [
    ...[...changed, ...flights].flatMap((it) => remaining(current, it, settle) ?? []),
    ...atOnce.flatMap((it) => remaining(current, it, pace.settleSeconds) ?? []),
    ...missing.map(() => settle),
  ]
  const unsettled = changed.filter((it) => remaining(current, it, settle) !== undefined).map(({ node }) => node)
  const unwell = new Set([...changed, ...atOnce].filter(({ pod }) => !pod.ready).map(({ node }) => node))
  if (unwell.size > 0)
    return wait(waits, `not well since it was changed: ${[...unwell].join(', ')}; no other node is touched`)
  const next = besideInZone(current.rollout, pendingPlaces(current.rollout, places), unsettled)
  if (next && wantsOverride(pace.strategy, touched) && waits.length < limit) return overrideStep(next, seen)
  if (waits.length > 0) return wait(waits, settling)
  return untried(current, places, { ...seen, settle }) ?? afterOverrides(current, seen)
}

/**
 * `default` reaches the nodes that were left out, too. While none is well, as when every Felix restarts because somebody has
 * just changed `default`, no node shows what the range does, and all would be changed at once.
 */
const untried = (
  { rollout, now }: RolloutNow,
  places: RolloutNode[],
  { defaultRange, settle }: Pick<StepInput, 'defaultRange'> & { settle: number },
): Step | undefined => {
  if (defaultRange === rollout.target || places.length === 0 || places.some(({ pod }) => pod.ready)) return undefined
  const { nodeDeadlineSeconds } = rollout.pace
  // A rollout that is resumed may have begun long before.
  const since = lastOf(now, rollout.startedAt, ...places.map(({ pod }) => pod.readySince ?? pod.createdAt))
  const left = nodeDeadlineSeconds - (now - since) / 1000
  const why = 'calico-node is not Ready on any node, so no node can be changed first'
  return left > 0
    ? wait([left, settle], why)
    : { do: 'halt', reason: `${why}; this has been so for ${nodeDeadlineSeconds} s` }
}

/**
 * Our overrides on nodes without a calico-node pod. The rollout waits for a node that was changed, but not for one
 * that left the cluster, or that is to run no calico-node any more: its override goes with the others.
 */
const awayFrom = (current: RolloutNow, { objects, pods }: StepInput): Away[] => {
  const known = new Set(pods.map(({ node }) => node))
  const isReached = isReachedBy(current.rollout)
  return objects
    .filter((it) => !known.has(overriddenNode(it)) && isReached(it))
    .map((object) => ({
      node: overriddenNode(object),
      object,
      changedAt: changedAt(current, object),
    }))
}

type Away = { node: string; object: FelixObject; changedAt: string }

const wroteOn = ({ object: { name, annotations } }: Away) => {
  const value = annotations[rangeAnnotation]
  return { object: objectName(name), ...(value !== undefined && { value }) }
}

const wantsOverride = (strategy: Strategy, touched: number): boolean =>
  strategy === 'staged' || (strategy === 'canary' && touched === 0)

const overrideStep = ({ node }: RolloutNode, { objects }: StepInput): Step => {
  const object = overrideOn(objects, node)
  return { do: 'override', node, ...(object && { object }) }
}

/**
 * Every node in scope has the value and is well; now `default` gets the value, and then our overrides are no longer
 * needed.
 */
const afterOverrides = (current: RolloutNow, seen: StepInput): Step | undefined => {
  const { objects, defaultRange } = seen
  const { target } = current.rollout
  const base = defaultIn(objects)
  const promotedAt = momentOf(current, base)
  if (defaultRange !== target) {
    const before = writtenBefore(current.rollout)('default')
    const isMarked = promotedAt !== undefined && milliseconds(promotedAt) >= milliseconds(current.rollout.startedAt)
    if (!isMarked && (before === 'no' || before === 'perhaps')) return { do: 'promote' }
    if (base?.annotations[rangeAnnotation] === target)
      return { do: 'halt', reason: deafReason('default', defaultRange, target) }
    const by = lastWriter(base)
    const reverted = { object: objectName('default'), ...(by !== undefined && { by }) }
    return { do: 'halt', reason: revertedReason(target), reverted }
  }
  // With `canary` and `direct`, nodes may still have an earlier value of ours: those are removed one by one.
  return objects.some(isOurs) ? cleanUp(current, seen) : undefined
}

const cleanUp = (current: RolloutNow, seen: StepInput): Step | undefined => {
  const step = abortStep(current, seen)
  return step.do === 'finish' ? undefined : step
}
