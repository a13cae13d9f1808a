import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Holding, eksError, now, type Update } from './eks-model.ts'

export interface UpdateRequest {
  type: string
  params: Record<string, unknown>
  addonName?: string
  /** What takes effect once the update is through. Throwing fails the update. */
  finish(): Promise<void>
  /** Told after the update's status is final. */
  ended?(update: Update): void
}

/** Updates run in the background, as in EKS: accepted at once, in effect later. */
export interface Updates {
  start: (holding: Holding, request: UpdateRequest) => Update
  /** The next update of this cluster ends as Failed, with this message. */
  failNext: (clusterName: string, message: string) => void
  /** No update ends until the answer is called. */
  hold: () => () => void
  inProgress: () => number
  stop: () => void
}

export function createUpdates(milliseconds: number): Updates {
  const aborter = new AbortController()
  const failures = new Map<string, string>()
  let held = Promise.resolve()
  let running = 0
  const run = async (holding: Holding, request: UpdateRequest, update: Update) => {
    running += 1
    try {
      await delay(milliseconds, undefined, { signal: aborter.signal })
      await held
      const failure = failures.get(holding.cluster.name)
      failures.delete(holding.cluster.name)
      if (failure !== undefined) throw new Error(failure)
      await request.finish()
      update.status = 'Successful'
    } catch (error) {
      if (aborter.signal.aborted) return
      update.status = 'Failed'
      update.errors.push({ errorCode: 'Unknown', errorMessage: String(error), resourceIds: [] })
    } finally {
      running -= 1
      if (!aborter.signal.aborted) request.ended?.(update)
    }
  }
  return {
    start: (holding, request) => {
      const update = newUpdate(request)
      const { addonName } = request
      holding.updates.push({ update, ...(addonName !== undefined && { addonName }) })
      void run(holding, request, update)
      return structuredClone(update)
    },
    failNext: (clusterName, message) => void failures.set(clusterName, message),
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
    inProgress: () => running,
    stop: () => aborter.abort(),
  }
}

/** Values are text on the wire: what has structure is JSON. */
const newUpdate = ({ type, params }: UpdateRequest): Update => ({
  id: randomUUID(),
  status: 'InProgress',
  type,
  params: Object.entries(params)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ type: name, value: typeof value === 'string' ? value : JSON.stringify(value) })),
  createdAt: now(),
  errors: [],
})

/** EKS takes one update of a cluster at a time. */
export function mustBeActive({ cluster }: Holding): void {
  if (cluster.status === 'ACTIVE') return
  const message = `Cluster ${cluster.name} is not in ACTIVE status: ${cluster.status}`
  throw eksError('ResourceInUseException', message, { clusterName: cluster.name })
}
