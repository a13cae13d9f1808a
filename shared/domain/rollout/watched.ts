import type { FelixObject } from '../cluster.ts'
import { isMarked } from './marks.ts'
import { changeTime } from './on-record.ts'
import { carefulPace } from './pace.ts'
import type { Pace, Rollout } from './rollout.ts'

/**
 * A node was just touched, or became unwell a short time ago: it is observed until it is well or its deadline has passed, even
 * if no other node may be touched. `now`: milliseconds.
 */
export const isWatched = (
  { rollout, now }: { rollout: Rollout; now: number },
  objects: FelixObject[],
  policy: Pace,
): boolean => {
  const { canarySeconds, nodeDeadlineSeconds } = carefulPace(rollout.pace, policy)
  const touched = [
    ...rollout.touching.map(({ at }) => Date.parse(at)),
    ...objects.filter(isMarked).map((object) => changeTime({ rollout, now }, object)),
    ...(rollout.unwell ?? []).map(({ since }) => Date.parse(since)),
  ]
  return touched.some((at) => at > now - (nodeDeadlineSeconds + canarySeconds) * 1000)
}
