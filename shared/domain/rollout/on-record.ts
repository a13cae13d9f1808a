import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { milliseconds } from '../rfc3339.ts'
import { clockSkew } from './annotations.ts'
import { isOurs, touchedAt } from './marks.ts'
import { emptyJournal } from './journal.ts'
import { writtenBefore } from './memory.ts'
import type { Rollout } from './rollout.ts'

/**
 * When we last changed the object, in milliseconds. Only a sealed override is known to say its own time. In `default`, and in
 * what is not ours any more, anybody can write a later time again and again, and its nodes would never count as settled:
 * so it is not later than our last write that is on record. Where another write restarted Felix, the pod's own time counts.
 */
export const changeTime = (
  { rollout, now }: { rollout: Rollout; now: number },
  object: FelixObject,
  isSealed = isOurs(object),
): number => {
  const touched = touchedAt(object, now)
  return isSealed ? touched : Math.min(touched, lastOnRecord(rollout, object.name) + clockSkew)
}

/** The same, RFC 3339. */
export const changedAt = (
  current: { rollout: Rollout; now: number },
  object: FelixObject,
  isSealed?: boolean,
): string => new Date(changeTime(current, object, isSealed)).toISOString()

/** Each write is in the journal before it is made. Infinity: we wrote it, and its entry is lost. */
const lastOnRecord = (rollout: Rollout, name: string): number => {
  const { entries, earlier } = rollout.journal ?? emptyJournal
  const object = objectName(name)
  const times = entries.filter((it) => it.object === object).map(({ at }) => milliseconds(at))
  if (times.length > 0) return Math.max(...times)
  const [oldest] = entries
  if (earlier > 0 && oldest) return milliseconds(oldest.at)
  return writtenBefore(rollout)(name) === 'no' ? milliseconds(rollout.startedAt) : Infinity
}
