import type { LookRequests } from '../../clients/aws/looks.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import { touchedBy } from '../../domain/event/touched.ts'
import type { FleetBounds } from '../../domain/fleet.ts'
import type { Log } from '../../log.ts'
import { clusterKey, type ClusterRef, clusterRef } from '../../messages.ts'
import { isOutsider } from './outsider.ts'

export interface OnEventTools {
  queues: Pick<Queues, 'sendEvaluation'>
  looks: LookRequests
  fleet: FleetBounds
  /** Makes sure that `fleet` has the account, where it is one of the organization; absent: the configuration names all. */
  know?: (account: string) => Promise<void>
  now: () => Date
  log: Log
}

/**
 * Requests an evaluation of each cluster that an event is about, if none is pending. `requestId`: of the invocation;
 * a retry has the same one.
 */
export const onEvent = async (tools: OnEventTools, event: unknown, requestId: string): Promise<void> => {
  const { log } = tools
  const touched = touchedBy(event)
  if ('ignored' in touched) return log('event ignored', { why: touched.ignored, EventsIgnored: 1 })
  // Counted like events from outside the fleet: no cluster of the fleet sends this.
  if ('refused' in touched) return log('not in the fleet', { why: touched.refused }, 'warn')
  for (const cluster of touched.clusters) await askForLook(tools, { cluster, cause: touched.cause }, requestId)
}

/** One look, where none is pending. */
export const askForLook = async (
  tools: OnEventTools,
  { cluster: named, cause }: { cluster: ClusterRef; cause: string },
  requestId: string,
): Promise<void> => {
  const { queues, log } = tools
  const cluster = clusterRef.safeParse(named)
  if (!cluster.success)
    return log('event ignored', { why: 'its account or region is not valid in AWS', EventsIgnored: 1 })
  await tools.know?.(cluster.data.account)
  if (isOutsider(tools, cluster.data, cause)) return
  const heard = { at: tools.now().toISOString(), by: requestId }
  const facts = { cluster: clusterKey(cluster.data), cause }
  const asked = await ask(tools, facts.cluster, requestId)
  if (!asked) return log('a look is pending', { ...facts, EventsCovered: 1 })
  await queues.sendEvaluation({ schemaVersion: 1, cluster: cluster.data, reason: 'event', cause, heard }, asked)
  log('event', { ...facts, heard, ...asked, Events: 1 })
}

/** If it is not known whether an evaluation is pending, one is requested: too many are slow, too few are wrong. */
const ask = async ({ looks, log }: OnEventTools, cluster: string, requestId: string) => {
  try {
    return await looks.ask(cluster, requestId)
  } catch (error) {
    log('whether an evaluation is pending is not known', { cluster, error: String(error) }, 'warn')
    return { delaySeconds: 0 }
  }
}
