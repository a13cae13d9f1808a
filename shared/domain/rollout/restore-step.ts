import type { FelixObject } from '../cluster.ts'
import { mayBeWritten } from '../ports.ts'
import { rangeAnnotation } from './annotations.ts'
import { changeMark } from './marks.ts'
import { writtenBefore } from './memory.ts'
import { changeTime } from './on-record.ts'
import { isFlapping } from './flapping.ts'
import { ordered, placesOf, type RolloutNode, type RolloutNow, wasUnwell } from './places.ts'
import { defaultIn, overrideName } from './range-writes.ts'
import type { Rollout } from './rollout.ts'
import type { StepInput } from './step.ts'

/** `former` absent: `default` did not set the range before. */
export type Restore = { do: 'override'; node: string } | { do: 'restore'; object: FelixObject; former?: string }

const day = 86_400_000

/**
 * After a halt on a node that got the range from `default`: first each well node gets an override with the range,
 * which restarts nothing; then `default` gets its former value back, which restarts Felix only on nodes that are not
 * well. An override that somebody deleted or emptied is not written again: its node gets the former value, too.
 * Undefined: nothing is to be restored, because no such node would get another range, or because `default` does not have
 * the value that this rollout wrote within the last day, or has it again.
 */
export const restoreStep = (current: RolloutNow, seen: StepInput): Restore | undefined => {
  const { rollout, now } = current
  const base = defaultIn(seen.objects)
  const mark = base && changeMark(base)
  if (!base || mark?.rollout !== rollout.id || base.annotations[rangeAnnotation] !== rollout.target) return undefined
  const before = writtenBefore(rollout)
  if (rollout.evidence?.takenBackAt !== undefined && before('default') === 'perhaps twice') return undefined
  const changed = changeTime(current, base)
  if (now - changed > day) return undefined
  const { from: former } = mark
  if (former !== undefined && !mayBeWritten(former)) return undefined
  const reached = placesOf(current, seen).filter(
    ({ range, override, foreign }) => !override && !foreign && range === rollout.target,
  )
  const changedAt = new Date(changed).toISOString()
  const isWell = ({ pod }: RolloutNode) => pod.ready && !isFlapping(current, pod)
  if (reached.every((it) => isWell(it) || wasUnwell({ ...it, changedAt }))) return undefined
  const isReverted = ({ node }: RolloutNode) => ['yes', 'perhaps twice'].includes(before(overrideName(node)))
  const [well] = ordered(
    rollout,
    reached.filter((it) => isWell(it) && !isReverted(it)),
  )
  if (well) return { do: 'override', node: well.node }
  return { do: 'restore', object: base, ...(former !== undefined && { former }) }
}

/** `default` still has the marks of this rollout: what restores its former value removes them. */
export const isStillOurs = ({ id }: Rollout, objects: FelixObject[]): boolean => {
  const base = defaultIn(objects)
  return base !== undefined && changeMark(base)?.rollout === id
}
