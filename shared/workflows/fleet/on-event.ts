import type { Queues } from '../../clients/aws/queues.ts'
import { touchedBy } from '../../domain/event.ts'
import type { FleetBounds } from '../../domain/fleet.ts'
import type { Log } from '../../log.ts'
import { clusterKey, clusterRef } from '../../messages.ts'
import { isOutsider } from './outsider.ts'

export interface OnEventTools {
  queues: Queues
  fleet: FleetBounds
  log: Log
}

/** Something touched a cluster: ask for a look at it. */
export const onEvent = async (tools: OnEventTools, event: unknown): Promise<void> => {
  const { queues, log } = tools
  const touched = touchedBy(event)
  if ('ignored' in touched) return log('event ignored', { why: touched.ignored })
  const cluster = clusterRef.safeParse(touched.cluster)
  if (!cluster.success) return log('event ignored', { why: 'its account, region or cluster name is not one of AWS' })
  if (isOutsider(tools, cluster.data, touched.cause)) return
  await queues.sendEvaluation({ schemaVersion: 1, cluster: cluster.data, reason: 'event', cause: touched.cause })
  log('event', { cluster: clusterKey(cluster.data), cause: touched.cause })
}
