import type { Records } from '../../clients/aws/records.ts'
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

/** The same for a cluster that the deployment does not look at any more. It exists, so nobody is told that it is gone. */
export const forgetReport = async (
  { records, now }: { records: Pick<Records, 'lastReport' | 'endReport'>; now: () => Date },
  key: string,
): Promise<void> => {
  if (await records.lastReport(key)) await records.endReport(key, now().toISOString())
}
