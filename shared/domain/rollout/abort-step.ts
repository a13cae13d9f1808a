import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { rangeAnnotation } from './annotations.ts'
import { isOurs, touchedAt } from './marks.ts'
import { lost } from './halt-step.ts'
import { type RolloutNow, flightsOf, isLate, remaining } from './places.ts'
import { overrideName } from './range-writes.ts'
import { type Seen, type Step, wait } from './step.ts'

/**
 * Takes our overrides back, one node after the other where that restarts its Felix; what `default` has taken stays. An
 * override that lost its range still says since when; it is removed when its node has stayed well.
 */
export const abortStep = (current: RolloutNow, seen: Seen): Step => {
  const { objects, pods, defaultRange } = seen
  const { pace } = current.rollout
  const ours = objects.filter(isOurs)
  const podOf = ({ name }: FelixObject) => pods.find(({ node, deletedAt }) => name === overrideName(node) && !deletedAt)
  const places = ours.flatMap((object) => {
    const pod = podOf(object)
    const changedAt = new Date(touchedAt(object, current.now)).toISOString()
    return pod ? [{ node: pod.node, pod, object, changedAt }] : []
  })
  const withdrawn = places.filter(({ object }) => object.annotations[rangeAnnotation] === undefined)
  const late = [...flightsOf(current.rollout, seen), ...withdrawn].find((it) => isLate(current, it))
  if (late) return lost(current, late, { object: objectName(overrideName(late.node)) })
  const unsettled = places.filter((it) => remaining(current, it, pace.settleSeconds) !== undefined)
  // By what it says itself: the Lease's target is anybody's to write.
  const saysAsDefault = ({ annotations }: FelixObject) =>
    annotations[rangeAnnotation] !== undefined && annotations[rangeAnnotation] === defaultRange
  const harmless = ours.find((object) => {
    const place = places.find((it) => it.object === object)
    return !place || saysAsDefault(object) || (withdrawn.includes(place) && !unsettled.includes(place))
  })
  if (harmless) return { do: 'remove-override', object: harmless }
  const waits = [...flightsOf(current.rollout, seen), ...unsettled].flatMap(
    (it) => remaining(current, it, pace.settleSeconds) ?? [],
  )
  // An override on a node that is disturbed already can be withdrawn at once, without disturbing one more node.
  const next =
    unsettled.find((it) => !withdrawn.includes(it)) ??
    (waits.length === 0 ? places.find((it) => !withdrawn.includes(it)) : undefined)
  if (next) return { do: 'take-back', node: next.node, object: next.object }
  return waits.length > 0 ? wait(waits, 'the node whose override was taken back must stay well') : { do: 'finish' }
}
