import { clusterKey, type Evaluation } from '../../messages.ts'
import type { EvaluateTools, Received } from './tools.ts'

/**
 * Whether this message leads to a look. One that an event asked for says so before anything is read, so that an event from
 * now on asks for another one; where that cannot be said the message is tried again. `false`: a look that began after the
 * event has seen it. Looks for other reasons keep their own meaning and cover no event.
 */
export const beginLook = async (
  { records, now, log }: Pick<EvaluateTools, 'records' | 'now' | 'log'>,
  { cluster, heard }: Evaluation,
  { messageId }: Received,
): Promise<boolean> => {
  if (!heard) return true
  const key = clusterKey(cluster)
  const begins = await records.beginLook(key, { messageId, at: now().toISOString(), heard })
  if (!begins) log('covered by a later look', { cluster: key, heard })
  return begins
}
