import { AsyncLocalStorage } from 'node:async_hooks'
import { clusterKey, clusterRef, correlationId } from './messages.ts'

/** Where a piece of work comes from: it stands on each line of its log, and goes on with each message it sends. */
export interface Origin {
  correlationId: string
  /** `account/region/name`, where it is about one. */
  cluster?: string
  /** Of `performance.now()`. */
  startedAt: number
}

const current = new AsyncLocalStorage<Origin>()

export const origin = (): Origin | undefined => current.getStore()

export const withOrigin = <T>(it: Origin, work: () => T): T => current.run(it, work)

/**
 * Of an event (its `id`), of a message of ours (`correlationId`, or the attribute of a notice) or, where none says so, of this
 * work itself. Anybody may have written it: what has another form counts as nothing.
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
