import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import type { RolloutReport } from '../report.ts'
import { milliseconds } from '../rfc3339.ts'
import { ours } from '../rollout/annotations.ts'
import { allWrites, parseJournal } from '../rollout/journal.ts'
import { parseRollout } from '../rollout/parse.ts'

const unfinished: readonly string[] = ['running', 'paused', 'halted', 'aborting']

/** The newest are enough to see where it stands; `rollout log` has all of them. */
const writesAtMost = 100

/** A rollout that has not ended, with what was written for it. */
export const rolloutReport = (state: ClusterState): RolloutReport | undefined => {
  const lease = valueOf(state.rollout)
  const parsed = parseRollout(lease, Date.parse(state.observedAt))
  if (parsed.is !== 'rollout' || !unfinished.includes(parsed.rollout.state)) return undefined
  const { id, state: stands, target, startedAt, evidence } = parsed.rollout
  const writes = allWrites(parseJournal(lease?.annotations[`${ours}journal`]), valueOf(state.felix)?.objects ?? [])
    .filter(({ rollout }) => rollout === id)
    .map(({ at, what, object }) => ({ at: new Date(milliseconds(at)).toISOString(), what, object }))
  return {
    id,
    state: stands as RolloutReport['state'],
    startedAt,
    ...(target !== undefined && { target }),
    ...(evidence && { lost: evidence.node }),
    writes: writes.slice(-writesAtMost),
  }
}
