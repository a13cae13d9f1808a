import type { FelixObject } from '../cluster.ts'
import { milliseconds } from '../rfc3339.ts'
import { changedAtKey, clockSkew } from './annotations.ts'
import { changeMark } from './marks.ts'
import { isAtOnce } from './memory.ts'
import { changeTime } from './on-record.ts'
import { lastOf, type RolloutNode, type RolloutNow, wasUnwell } from './places.ts'
import { defaultIn } from './range-writes.ts'
import type { StepInput } from './step.ts'
import { unwellAtMost } from './unwell.ts'

/** When we last wrote it. A time in the future, or an invalid one, was not written by us. */
export const momentOf = ({ now }: Pick<RolloutNow, 'now'>, object: FelixObject | undefined): string | undefined => {
  const at = object?.annotations[changedAtKey]
  return at !== undefined && milliseconds(at) <= now + clockSkew ? at : undefined
}

/** When `default` was written, if nodes got the range that it has from it all at once; in milliseconds. */
export const watchedSince = (current: RolloutNow, seen: Pick<StepInput, 'objects' | 'defaultRange'>) =>
  (seen.defaultRange === current.rollout.target ? targetSince : earlierSince)(current, seen.objects)

const targetSince = (current: RolloutNow, objects: FelixObject[]): number | undefined => {
  const { rollout } = current
  const base = defaultIn(objects)
  if (!base) return undefined
  // Whatever the strategy is now: another process may continue what this write began.
  const isWatched = (momentOf(current, base) && rollout.pace.strategy !== 'staged') || isAtOnce(base, rollout)
  return isWatched ? changeTime(current, base) : undefined
}

/** The same for an earlier range that `default` still has: nodes that do not come back with it are down through us. */
const earlierSince = (current: RolloutNow, objects: FelixObject[]): number | undefined => {
  const base = defaultIn(objects)
  if (!base || !momentOf(current, base)) return undefined
  return targetSince(current, objects) ?? (changeMark(base)?.atOnce ? changeTime(current, base) : undefined)
}

const watchedUntil = ({ rollout: { pace } }: RolloutNow, since: number): number =>
  since + Math.max(pace.nodeDeadlineSeconds, pace.settleSeconds) * 1000

/**
 * The nodes that are watched after the write of `default`: those that were well, and of them those whose state last changed within
 * the deadline after the write, or that are remembered as unwell. So the watch ends, however many nodes join, leave or fail
 * later. While as many are unwell as can be remembered, any of them may be. A node that joined after the write is left out, as
 * long as another one shows what the range does.
 */
export const atOncePlaces = (current: RolloutNow, seen: StepInput, places: RolloutNode[]): RolloutNode[] => {
  const { rollout, now } = current
  const since = watchedSince(current, seen)
  if (since === undefined) return []
  const changedAt = new Date(since).toISOString()
  const known = new Set(rollout.unwell?.map(({ node }) => node))
  const until = watchedUntil(current, since)
  const reached = places
    .filter(({ range }) => seen.defaultRange === rollout.target || range === seen.defaultRange)
    .map((it) => ({ ...it, changedAt }))
    .filter((it) => !wasUnwell(it))
  const before = reached.filter((it) => !isJoined(seen, it, since))
  return (before.length > 0 ? before : reached).filter(
    ({ node, pod }) =>
      known.has(node) || known.size >= unwellAtMost || lastOf(now, pod.readySince ?? pod.createdAt) <= until,
  )
}

/** Kubernetes cuts its times to whole seconds. */
const isJoined = ({ born }: StepInput, { node }: RolloutNode, since: number): boolean =>
  milliseconds(born?.get(node) ?? '') > since - 1_000
