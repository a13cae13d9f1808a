import type { FelixObject, PodState } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { rangeAnnotation } from './annotations.ts'
import { atOncePlaces } from './at-once.ts'
import { lost } from './halt-step.ts'
import { emptyJournal } from './journal.ts'
import { isOurs } from './marks.ts'
import { isRestored, writtenBefore } from './memory.ts'
import { changedAt } from './on-record.ts'
import {
  type Flight,
  type RolloutNow,
  flightsOf,
  isLate,
  lastOf,
  placesOf,
  presentPods,
  remaining,
  wasUnwell,
} from './places.ts'
import { overriddenNode, overrideName } from './range-writes.ts'
import { milliseconds } from '../rfc3339.ts'
import { type StepInput, settling, type Step, wait } from './step.ts'
import type { Settling } from './unwell.ts'

/**
 * Removes our overrides, one node after the other if that restarts its Felix; `default` keeps its value. First the
 * range is removed from an override, which keeps the time; the object is deleted when its node has stayed well.
 */
export const abortStep = (current: RolloutNow, seen: StepInput): Step => {
  const { objects, defaultRange } = seen
  const { settleSeconds, nodeDeadlineSeconds } = current.rollout.pace
  const isBack = isRestored(current.rollout)
  const ours = objects.filter((it) => isOurs(it) && !isBack(it))
  const places = placesWith(current, seen, ours)
  const withdrawn = places.filter(isTakenBack)
  const flights = flightsOf(current.rollout, seen)
  const isLateNow = (it: Flight) => isLate(current, it, settleSeconds)
  const watched = [...flights, ...withdrawn]
  // Each has its deadline to come back, and the others need not wait for it longer.
  const excused = new Set<Flight>([
    ...watched.filter((it) => isHaltedFor(current, it)),
    ...withdrawn.filter((it) => !it.pod || wasIll(current, it)),
  ])
  const isPast = (it: Flight) =>
    excused.has(it) && isLateNow(it) && current.now - milliseconds(it.changedAt ?? '') > nodeDeadlineSeconds * 1000
  const late = watched.find((it) => isLateNow(it) && !excused.has(it))
  if (late) return lost(current, late, { object: objectName(overrideName(late.node)) })
  const unsettled = places.filter((it) => !isPast(it) && remaining(current, it, settleSeconds) !== undefined)
  // From the object itself, because the Lease's target can be forged.
  const saysAsDefault = ({ annotations }: FelixObject) =>
    annotations[rangeAnnotation] !== undefined && annotations[rangeAnnotation] === defaultRange
  const harmless = ours.find((object) => {
    const place = places.find((it) => it.object === object)
    return !place || saysAsDefault(object) || (withdrawn.includes(place) && !unsettled.includes(place))
  })
  if (harmless) return { do: 'remove-override', object: harmless }
  const rest = places.filter((it) => !withdrawn.includes(it))
  // What somebody took our marks from, or restored, is not touched, nor a node that got its range from `default`: the next node waits
  // for them all the same.
  const others = [
    ...placesLeft(current, seen),
    ...placesDeleted(current, seen),
    ...(rest.length > 0 ? atOncePlaces(current, seen, placesOf(current, seen)) : []),
  ].filter((it) => !isLateNow(it))
  const waiting = [...flights.filter((it) => !isPast(it)), ...others, ...unsettled]
  const waits = waiting.flatMap((it) => remaining(current, it, settleSeconds) ?? [])
  const lastWrite = lastOf(current.now, ...waiting.map((it) => it.changedAt))
  // On a node that is already disturbed, the override can be removed at once, without disturbing another node. By a clock that is
  // behind, all of them may seem to be: so their own times are compared, and none that had settled before the last write is.
  const isDisturbed = (it: Place) =>
    unsettled.includes(it) &&
    (!it.pod?.ready || lastWrite - lastOf(current.now, it.changedAt, it.pod.readySince) < settleSeconds * 1000)
  const next = rest.find((it) => waits.length === 0 || isDisturbed(it))
  if (next) return { do: 'take-back', node: next.node, object: next.object }
  return waits.length > 0 ? wait(waits, settling) : { do: 'finish' }
}

type Place = Required<Flight> & { object: FelixObject }

/**
 * A pod that the DaemonSet misses may be there all the same, and Felix with it: until the range is taken back, only the time of the
 * object counts.
 */
const placesWith = (current: RolloutNow, { pods, left, missing = 0 }: StepInput, objects: FelixObject[]): Place[] =>
  objects.flatMap((object) => {
    const node = overriddenNode(object)
    const pod = pods.find((it) => it.node === node && !it.deletedAt)
    if (!pod && (missing === 0 || left?.has(node))) return []
    const place = { node, pod, object, changedAt: changedAt(current, object) }
    return [pod || isTakenBack(place) ? place : { ...place, pod: { node, ready: true } as PodState }]
  })

const isTakenBack = ({ object }: Pick<Place, 'object'>): boolean => object.annotations[rangeAnnotation] === undefined

/** Nodes with an override that this rollout wrote and that is not provably ours any more, or is there again. */
const placesLeft = (current: RolloutNow, seen: StepInput): Place[] => {
  const before = writtenBefore(current.rollout)
  const isBack = isRestored(current.rollout)
  const isLeft = (it: FelixObject) => (isOurs(it) ? isBack(it) : /^node\../.test(it.name) && before(it.name) !== 'no')
  return placesWith(current, seen, seen.objects.filter(isLeft))
}

/**
 * Of an override that somebody deletes, only the journal has the time of our write, and of one that a halt removed as a person
 * aborted it, only that of the halt. It may be forged: what is far off counts for nothing.
 */
const placesDeleted = ({ rollout, now }: RolloutNow, { objects, pods }: StepInput): Flight[] => {
  const { entries } = rollout.journal ?? emptyJournal
  const { settleSeconds, nodeDeadlineSeconds } = rollout.pace
  const isNear = (at: string) => Math.abs(now - milliseconds(at)) < (settleSeconds + nodeDeadlineSeconds) * 1000
  const times = new Map(entries.filter(({ at }) => isNear(at)).map(({ object, at }) => [object, at]))
  const there = new Set(objects.filter(isOurs).map(({ name }) => name))
  return presentPods(pods).flatMap((pod) => {
    const name = overrideName(pod.node)
    const at = there.has(name) ? undefined : (times.get(objectName(name)) ?? times.get(`Node/${pod.node}`))
    return at === undefined ? [] : [{ node: pod.node, pod, changedAt: at }]
  })
}

/** It was not well before its range was taken back: as its pod says, or as is remembered, whatever clock the node has. */
const wasIll = ({ rollout }: RolloutNow, it: Place): boolean => {
  const known = rollout.unwell?.find(({ node }) => node === it.node)
  return wasUnwell(it) || milliseconds(known?.since ?? '') < milliseconds(it.changedAt)
}

/** A person knows that it is not well, and asked for the abort again. The journal has our last write to the node as well. */
const isHaltedFor = ({ rollout }: RolloutNow, { node }: Flight): boolean => {
  const about = [`Node/${node}`, objectName(overrideName(node))]
  const last = rollout.journal?.entries.findLast(({ object }) => about.includes(object))
  return last?.what === 'halt' && last.rollout === rollout.id
}

/** Nodes with our override: before its range is taken back, one that is not Ready is remembered at once. */
export const overridden = (current: RolloutNow, seen: StepInput): Settling[] =>
  placesWith(current, seen, seen.objects.filter(isOurs)).map((it) => ({
    ...it,
    settle: isTakenBack(it) || it.pod?.ready ? current.rollout.pace.settleSeconds : 0,
  }))
