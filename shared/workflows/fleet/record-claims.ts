import type { ClusterState } from '../../domain/cluster.ts'
import { valueOf } from '../../domain/read.ts'
import { ours } from '../../domain/rollout/annotations.ts'
import { parseJournal, written } from '../../domain/rollout/journal.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'
import type { EvaluateTools } from './tools.ts'

/**
 * Records writes that only the Lease and the objects contain as claims of the cluster: writes from a terminal, and
 * writes after which a function died. It needs no additional reads from the cluster.
 */
export const keepClaims = async (
  { records, now, log }: Pick<EvaluateTools, 'records' | 'now' | 'log'>,
  cluster: ClusterRef,
  { rollout, felix }: Pick<ClusterState, 'rollout' | 'felix'>,
): Promise<void> => {
  const journal = parseJournal(valueOf(rollout)?.annotations[`${ours}journal`])
  const writes = written(journal, valueOf(felix)?.objects ?? [])
  if (writes.length === 0) return
  const kept = await records.keepClaims(clusterKey(cluster), writes, now().toISOString())
  if (kept > 0) log('writes claimed', { cluster: clusterKey(cluster), writes: kept })
}
