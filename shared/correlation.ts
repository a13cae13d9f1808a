import { AsyncLocalStorage } from 'node:async_hooks'
import { clusterKey, clusterRef, correlationId } from './messages.ts'

/** The origin of a piece of work: it is on each of its log lines and in each message that it sends. */
export interface Origin {
  correlationId: string
  /** `account/region/name`, if it is about one cluster. */
  cluster?: string
  /** Of `performance.now()`. */
  startedAt: number
}

const current = new AsyncLocalStorage<Origin>()

export const origin = (): Origin | undefined => current.getStore()

export const withOrigin = <T>(it: Origin, work: () => T): T => current.run(it, work)

/**
 * The id of an event, of a message (`correlationId`, or the attribute of a notice) or, without one, of this work
 * itself. It may be forged: a value with another format is ignored.
 */
export const originOf = (work: unknown, own: string): Origin => {
  const { correlationId: given, id, cluster, tell, MessageAttributes } = fields(work)
  const ids = [given, fields(fields(MessageAttributes)['correlationId'])['Value'], id, own]
  const found = ids.map((it) => correlationId.safeParse(it)).find(({ success }) => success)
  const ref = clusterRef.safeParse(cluster)
  const key = ref.success ? clusterKey(ref.data) : fields(tell)['cluster']
  return {
    correlationId: found?.data ?? 'none',
    ...(typeof key === 'string' && { cluster: key }),
    startedAt: performance.now(),
  }
}

const fields = (it: unknown): Record<string, unknown> =>
  typeof it === 'object' && it !== null ? (it as Record<string, unknown>) : {}
