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

/**
 * When `default` was written, if nodes got the range that it has from it all at once; in milliseconds. Also an earlier range of ours:
 * nodes that are not well with it are without Felix because of us. A person who insists does not wait for those: only the new
 * range may make them well.
 */
export const watchedSince = (
  current: RolloutNow,
  { objects, defaultRange }: Pick<StepInput, 'objects' | 'defaultRange'>,
): number | undefined => {
  const { rollout } = current
  const base = defaultIn(objects)
  if (!base) return undefined
  const isOurs = momentOf(current, base) !== undefined
  // Whatever the strategy is now: another process may continue what this write began.
  const isWatched = (isOurs && rollout.pace.strategy !== 'staged') || isAtOnce(base, rollout)
  const isWatchedEarlier = isOurs && !rollout.careful && (isWatched || changeMark(base)?.atOnce === true)
  return (defaultRange === rollout.target ? isWatched : isWatchedEarlier) ? changeTime(current, base) : undefined
}

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
  const { nodeDeadlineSeconds, settleSeconds } = rollout.pace
  const until = since + Math.max(nodeDeadlineSeconds, settleSeconds) * 1000
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
