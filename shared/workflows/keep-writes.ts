import type { ClusterState } from '../domain/cluster.ts'
import { valueOf } from '../domain/read.ts'
import { ours } from '../domain/rollout/annotations.ts'
import { parseJournal, written } from '../domain/rollout/journal.ts'
import { clusterKey, type ClusterRef } from '../messages.ts'
import type { EvaluateTools } from './evaluate.ts'

/**
 * What the Lease and the objects tell of writes, also of those made at a terminal, goes on record; whoever was cut short
 * before that leaves it to the next look. Nothing is read for it that a look does not read anyway.
 */
export const keepWrites = async (
  { records, now, log }: Pick<EvaluateTools, 'records' | 'now' | 'log'>,
  cluster: ClusterRef,
  { rollout, felix }: Pick<ClusterState, 'rollout' | 'felix'>,
): Promise<void> => {
  const journal = parseJournal(valueOf(rollout)?.annotations[`${ours}journal`])
  const writes = written(journal, valueOf(felix)?.objects ?? [])
  if (writes.length === 0) return
  const kept = await records.keepWrites(clusterKey(cluster), writes, now().toISOString())
  if (kept > 0) log('writes recorded', { cluster: clusterKey(cluster), writes: kept })
}
