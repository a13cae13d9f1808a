import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import { milliseconds } from '../rfc3339.ts'
import { isOurs } from './marks.ts'
import type { Rollout } from './rollout.ts'

/** After a person aborts a rollout, the next event must not begin it again. */
const restSeconds = 86_400

/**
 * The time (milliseconds since 1970) before which a deployment begins none; 0: it may begin now. An abort that left our overrides
 * is not the end: another message reports that.
 */
export const restsUntil = (rollout: Rollout | undefined, { felix }: ClusterState): number => {
  const from = rollout?.state === 'aborted' ? rollout.finishedAt : undefined
  if (from === undefined || valueOf(felix)?.objects.some(isOurs)) return 0
  return milliseconds(from) + restSeconds * 1000
}
