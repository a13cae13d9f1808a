import { goneNotice } from '../../domain/notice/gone-notice.ts'
import { clusterKey, type ClusterRef } from '../../messages.ts'
import { tellOnce } from './tell.ts'
import type { EvaluateTools } from './tools.ts'

/**
 * A cluster that EKS does not know any more has no verdict. Told first, so that cut short in between it is told by the next
 * look, as the same notice. Of one of which nothing is on record nobody hears.
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
