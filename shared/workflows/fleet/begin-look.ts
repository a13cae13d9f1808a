import { clusterKey, type Evaluation } from '../../messages.ts'
import type { EvaluateTools, Received } from './tools.ts'

/**
 * Whether this message leads to a look. One that an event asked for says so before anything is read, so that an event from
 * now on asks for another one; where that cannot be said the message is tried again. `false`: a look that began after the
 * event has seen it, or another message of the same sweep has looked. Looks for other reasons keep their own meaning and
 * cover no event.
 */
export const beginLook = async (
  { records, now, log }: Pick<EvaluateTools, 'records' | 'now' | 'log'>,
  { cluster, heard, sweep }: Evaluation,
  { messageId }: Received,
): Promise<boolean> => {
  const key = clusterKey(cluster)
  const at = now().toISOString()
  if (heard && !(await records.beginLook(key, { messageId, at, heard }))) {
    log('covered by a later look', { cluster: key, heard })
    return false
  }
  if (sweep !== undefined && !(await records.beginSweepLook(key, { messageId, at, sweep }))) {
    log('looked at in this sweep', { cluster: key, sweep })
    return false
  }
  return true
}
