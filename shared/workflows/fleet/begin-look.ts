import { clusterKey, type Evaluation } from '../../messages.ts'
import type { EvaluateTools, Received } from './tools.ts'

/**
 * Whether this message leads to an evaluation. An evaluation for an event records its start before anything is read,
 * so that later events request another one; if this cannot be recorded, the message is retried. `false`: an
 * evaluation that began after the event includes the change, or another message of the same sweep has already
 * evaluated the cluster. Evaluations for other reasons do not count for events.
 */
export const beginLook = async (
  { records, now, log }: Pick<EvaluateTools, 'records' | 'now' | 'log'>,
  { cluster, heard, sweep }: Evaluation,
  { messageId }: Received,
): Promise<boolean> => {
  const key = clusterKey(cluster)
  const at = now().toISOString()
  if (heard && !(await records.beginLook(key, { messageId, at, heard }))) {
    log('covered by a later evaluation', { cluster: key, heard })
    return false
  }
  if (sweep !== undefined && !(await records.beginSweepLook(key, { messageId, at, sweep }))) {
    log('already evaluated in this sweep', { cluster: key, sweep })
    return false
  }
  return true
}
