import type { FelixObject, PodState } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { rangeAnnotation } from './annotations.ts'
import { lost } from './halt-step.ts'
import { isOurs } from './marks.ts'
import { writtenBefore } from './memory.ts'
import { changeTime } from './on-record.ts'
import { type Flight, type RolloutNow, flightsOf, isLate, remaining, wasUnwell } from './places.ts'
import { overrideName } from './range-writes.ts'
import { type StepInput, settling, type Step, wait } from './step.ts'

/**
 * Removes our overrides, one node after the other if that restarts its Felix; `default` keeps its value. First the
 * range is removed from an override, which keeps the time; the object is deleted when its node has stayed well.
 */
export const abortStep = (current: RolloutNow, seen: StepInput): Step => {
  const { objects, defaultRange } = seen
  const { pace } = current.rollout
  const ours = objects.filter(isOurs)
  const places = placesWith(current, seen, ours)
  const withdrawn = places.filter(isTakenBack)
  const isLateNow = (it: Flight) => isLate(current, it, pace.settleSeconds)
  // It was not well before its range was taken back: it had the time to come back, and the others need not wait for it.
  const isPast = (it: Flight) => isLateNow(it) && wasUnwell(it)
  const late = [...flightsOf(current.rollout, seen), ...withdrawn].find((it) => isLateNow(it) && !isPast(it))
  if (late) return lost(current, late, { object: objectName(overrideName(late.node)) })
  const unsettled = places.filter((it) => !isPast(it) && remaining(current, it, pace.settleSeconds) !== undefined)
  // From the object itself, because the Lease's target can be forged.
  const saysAsDefault = ({ annotations }: FelixObject) =>
    annotations[rangeAnnotation] !== undefined && annotations[rangeAnnotation] === defaultRange
  const harmless = ours.find((object) => {
    const place = places.find((it) => it.object === object)
    return !place || saysAsDefault(object) || (withdrawn.includes(place) && !unsettled.includes(place))
  })
  if (harmless) return { do: 'remove-override', object: harmless }
  // Somebody took their marks: what they have left is not touched, and the next node waits for them all the same.
  const unmarked = unmarkedPlaces(current, seen).filter((it) => !isLateNow(it))
  const waits = [...flightsOf(current.rollout, seen), ...unmarked, ...unsettled].flatMap(
    (it) => remaining(current, it, pace.settleSeconds) ?? [],
  )
  // On a node that is already disturbed, the override can be removed at once, without disturbing another node.
  const next =
    unsettled.find((it) => !withdrawn.includes(it)) ??
    (waits.length === 0 ? places.find((it) => !withdrawn.includes(it)) : undefined)
  if (next) return { do: 'take-back', node: next.node, object: next.object }
  return waits.length > 0 ? wait(waits, settling) : { do: 'finish' }
}

type Place = Required<Flight> & { pod: PodState; object: FelixObject }

const placesWith = (current: RolloutNow, { pods }: StepInput, objects: FelixObject[]): Place[] =>
  objects.flatMap((object) => {
    const pod = pods.find(({ node, deletedAt }) => object.name === overrideName(node) && !deletedAt)
    const changedAt = new Date(changeTime(current, object)).toISOString()
    return pod ? [{ node: pod.node, pod, object, changedAt }] : []
  })

const isTakenBack = ({ object }: Place): boolean => object.annotations[rangeAnnotation] === undefined

/** Nodes with an override that this rollout wrote and that is not provably ours any more. */
const unmarkedPlaces = (current: RolloutNow, seen: StepInput): Place[] => {
  const before = writtenBefore(current.rollout)
  return placesWith(
    current,
    seen,
    seen.objects.filter((object) => /^node\../.test(object.name) && !isOurs(object) && before(object.name) !== 'no'),
  )
}

/** The nodes whose range was taken back. */
export const takenBack = (current: RolloutNow, seen: StepInput): Flight[] =>
  placesWith(current, seen, seen.objects.filter(isOurs)).filter(isTakenBack)
