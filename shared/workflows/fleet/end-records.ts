import { goneNotice } from '../../domain/notice/gone-notice.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'
import { tellOnce } from './tell.ts'
import type { EvaluateTools } from './tools.ts'

/**
 * Ends the records of a cluster that EKS no longer knows. The notice comes first: if the function dies in between,
 * the next evaluation sends the same notice. Without a record there is no notice.
 */
export const endRecords = async (
  tools: Pick<EvaluateTools, 'records' | 'queues' | 'now'>,
  cluster: ClusterRef,
): Promise<void> => {
  const key = clusterKey(cluster)
  const last = await tools.records.lastReport(key)
  if (!last) return
  await tellOnce(tools, key, { notice: goneNotice(cluster, last), about: ['gone', last.observedAt] })
  await tools.records.endReport(key, tools.now().toISOString())
}
