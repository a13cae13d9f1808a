import type { ClusterState } from '../cluster.ts'
import { plainAll } from '../plain.ts'
import { formatRanges } from '../ports.ts'
import { valueOf } from '../read.ts'
import type { Report, RolloutReport } from '../report.ts'
import { milliseconds } from '../rfc3339.ts'
import { allWrites, emptyJournal } from '../rollout/journal.ts'
import { rolloutIn } from '../rollout/parse.ts'
import { isUnfinished } from '../rollout/rollout.ts'

/** The newest are enough to see where it stands; `rollout log` has all of them. */
const writesAtMost = 100

const portsAtMost = 200

/** Facts that a report shows in addition; the verdict does not depend on them, so only published reports have them. */
export const beside = (state: ClusterState): Pick<Report, 'portsInUse' | 'rollout'> => {
  const uses = valueOf(state.nodePorts)
  const inUse = uses && formatRanges(uses.map(({ port }) => ({ min: port, max: port }))).slice(0, portsAtMost)
  const rollout = rolloutReport(state)
  return plainAll({ ...(inUse && { portsInUse: inUse }), ...(rollout && { rollout }) })
}

/** A rollout that has not ended, with what was written for it. */
const rolloutReport = (state: ClusterState): RolloutReport | undefined => {
  const rollout = rolloutIn(state)
  if (!isUnfinished(rollout)) return undefined
  const { id, state: stands, target, startedAt, evidence, journal = emptyJournal } = rollout
  const writes = allWrites(journal, valueOf(state.felix)?.objects ?? [])
    .filter(({ rollout }) => rollout === id)
    .map(({ at, what, object }) => ({ at: new Date(milliseconds(at)).toISOString(), what, object }))
  return {
    id,
    state: stands,
    startedAt,
    ...(target !== undefined && { target }),
    ...(evidence && { lost: evidence.node }),
    writes: writes.slice(-writesAtMost),
  }
}
