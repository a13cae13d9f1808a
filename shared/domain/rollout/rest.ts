import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import { milliseconds } from '../rfc3339.ts'
import { isOurs } from './marks.ts'
import type { Rollout } from './rollout.ts'

/** After a person aborts a rollout, the next event must not begin it again. */
const restSeconds = 86_400

/**
 * The time (milliseconds since 1970) before which a deployment begins none; 0: it may begin now. Where overrides of ours are
 * there, a state that says so is believed only if the journal has the end of the abort: then somebody restored them.
 */
export const restsUntil = (rollout: Rollout | undefined, { felix }: ClusterState): number => {
  if (rollout?.state !== 'aborted' || rollout.finishedAt === undefined) return 0
  const isEnded = rollout.journal?.entries.some((it) => it.what === 'aborted' && it.rollout === rollout.id)
  if (!isEnded && valueOf(felix)?.objects.some(isOurs)) return 0
  return milliseconds(rollout.finishedAt) + restSeconds * 1000
}
