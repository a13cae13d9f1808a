import type { Queues } from '../clients/queues.ts'
import { touchedBy } from '../domain/event.ts'
import { clusterKey, clusterRef } from '../messages.ts'

export interface OnEventTools {
  queues: Queues
  log: (event: string, facts: object) => void
}

/** Something touched a cluster: ask for a look at it. */
export const onEvent = async ({ queues, log }: OnEventTools, event: unknown): Promise<void> => {
  const touched = touchedBy(event)
  if ('ignored' in touched) return log('event ignored', { why: touched.ignored })
  const cluster = clusterRef.safeParse(touched.cluster)
  if (!cluster.success) return log('event ignored', { why: 'its account, region or cluster name is not one of AWS' })
  await queues.sendEvaluation({ schemaVersion: 1, cluster: cluster.data, reason: 'event', cause: touched.cause })
  log('event', { cluster: clusterKey(cluster.data), cause: touched.cause })
}
