import { objectName } from '../felix/layer.ts'
import { overrideKey, rangeAnnotation } from './annotations.ts'
import { isMarked } from './marks.ts'
import { lastWriter, writtenBefore } from './memory.ts'
import { type RolloutNow, type Flight, isLate, notWell, type RolloutNode } from './places.ts'
import { overrideName, overrideOn } from './range-writes.ts'
import type { Lost, StepInput, Step } from './step.ts'

/** If Felix rejects a value in our override, removing the override restores the node, whoever wrote the value. */
export const refused = (
  current: RolloutNow,
  places: RolloutNode[],
  { reason, objects }: NonNullable<StepInput['trouble']>,
): Step => {
  const made = ({ override, foreign }: RolloutNode) => override?.annotations[overrideKey] === 'created' && !foreign
  const ours = places.find((it) => made(it) && objects.includes(objectName(overrideName(it.node))))
  if (!ours) return { do: 'halt', reason }
  const wrote = { object: objectName(overrideName(ours.node)) }
  return { ...lost(current, ours, wrote), reason: `${ours.node}: ${reason}`, takeBack: withUnwell(ours, places) }
}

/** A changed node that did not become Ready, or on which the written value is not effective. */
export const troubleWith = (
  current: RolloutNow,
  touched: RolloutNode[],
  { target, settle }: { target: string; settle: number },
): Step | undefined => {
  const valueOn = ({ override }: RolloutNode) => override?.annotations[rangeAnnotation]
  const ours = (it: RolloutNode) => ({ object: objectName(overrideName(it.node)), value: valueOn(it) ?? target })
  const deaf = touched.find((it) => valueOn(it) === target && it.range !== target)
  if (deaf) {
    const reason = deafReason(overrideName(deaf.node), deaf.range, target)
    return { ...lost(current, deaf, ours(deaf)), reason, takeBack: withUnwell(deaf, touched) }
  }
  const late = touched.find((it) => isLate(current, it, settle))
  return late && { ...lost(current, late, ours(late)), takeBack: withUnwell(late, touched) }
}

/**
 * A node that was changed at the same time may fail a second later. After the halt no step would check it again, so
 * its override is removed too.
 */
export const withUnwell = (first: RolloutNode, places: RolloutNode[]): string[] => {
  const others = places.filter(({ node, pod, changedAt }) => node !== first.node && changedAt && !pod.ready)
  return [first.node, ...others.map(({ node }) => node)]
}

/** A halt because of one node; its pod and our last write are stored as evidence. */
export const lost = (
  current: RolloutNow,
  it: Flight,
  { object, value }: Lost['wrote'],
): Extract<Step, { do: 'halt' }> => ({
  do: 'halt',
  reason: notWell(current, it),
  about: {
    node: it.node,
    ...(it.pod && { pod: it.pod }),
    wrote: { object, ...(value !== undefined && { value }), ...(it.changedAt && { at: it.changedAt }) },
  },
})

/** A write that is not effective, for example because the metadata copy hides it, must not count as a change. */
export const deafReason = (object: string, counts: string | undefined, target: string | undefined): string =>
  `FelixConfiguration ${object} was written, but the effective range is ${counts ?? "Felix's built-in default"}, not ${target}`

/**
 * An override that was written and then deleted or changed: a person had a reason, or a controller will do it again.
 */
export const revertedStep = (
  { rollout }: RolloutNow,
  places: RolloutNode[],
  { objects }: StepInput,
): Step | undefined => {
  const written = writtenBefore(rollout)
  const isReverted = ({ node, range, override }: RolloutNode): boolean => {
    const before = range === rollout.target ? 'no' : written(overrideName(node))
    return before === 'yes' || before === 'perhaps twice' || (before === 'perhaps' && override !== undefined)
  }
  const place = places.find(isReverted)
  if (!place) return undefined
  const object = objectName(overrideName(place.node))
  const left = overrideOn(objects, place.node)
  const by = lastWriter(left)
  const how = left ? (isMarked(left) ? 'changed' : 'emptied') : 'deleted'
  // Cut short twice, nobody can tell whether the writes arrived.
  const isSure = left !== undefined || written(overrideName(place.node)) === 'yes'
  const what = isSure
    ? `was given ${rollout.target}, and ${by ?? 'somebody'} ${how} it before the rollout was over`
    : `was to be given ${rollout.target}, twice, and is not there: somebody deleted it, or both writes were cut short`
  const reason = `${object} ${what}; it is not written again today`
  return { do: 'halt', reason, reverted: { object, ...(by !== undefined && { by }) } }
}

/** A person who reverts it has a reason, and a controller would revert it again: it is not written a second time. */
export const revertedReason = (target: string | undefined): string =>
  `FelixConfiguration default was given ${target}, and somebody reverted it before the rollout was over`
