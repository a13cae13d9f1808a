import type { PlaceRecords } from '../../clients/aws/places.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { Records } from '../../clients/aws/records.ts'
import { type FleetBounds, whyOutside } from '../../domain/fleet.ts'
import { listedAgainNotice, unlistedNotice } from '../../domain/notice/place-notice.ts'
import {
  type Cause,
  causeOf,
  isPassing,
  isToTell,
  type Place,
  placeKey,
  type PlaceRow,
  withClusters,
  withFailure,
} from '../../domain/places.ts'
import type { Read } from '../../domain/read.ts'
import { RetryLaterError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { clusterRef, type Evaluation, type PlaceMessage } from '../../messages.ts'
import { tellOnce } from './tell.ts'

export interface ListPlaceTools {
  fleet: FleetBounds
  /** Names of the clusters there; `undefined`: no role leads there. */
  list: (place: Place) => Promise<Read<string[]> | undefined>
  places: PlaceRecords
  records: Pick<Records, 'keepNotice'>
  queues: Pick<Queues, 'sendEvaluations' | 'sendTelling'>
  now: () => Date
  log: Log
}

/** Of one message: what passes is tried again after half a minute, and after a minute and a half. */
const triesAtMost = 3

/**
 * Lists one account and region, and asks for a look at each of its clusters, and at those that were there before: who is gone
 * is told by that look. What a sweep has done it does not do again, however often its message comes.
 */
export const listPlace = async (
  tools: ListPlaceTools,
  { sweep, place }: PlaceMessage,
  { receives }: { receives: number },
): Promise<void> => {
  const { places, log } = tools
  const why = whyOutside(tools.fleet, place)
  if (why !== undefined) return log('place is not in the fleet any more', { place: placeKey(place), why })
  const before = (await places.get(place)) ?? { ...place, sweep: '', clusters: [] }
  if (before.sweep >= sweep) return log('listed already', { place: placeKey(place), sweep })
  const found = await tools.list(place)
  if (found && 'value' in found) return listed(tools, before, { sweep, names: found.value })
  const [cause, message]: [Cause, string] = found ? [causeOf(found.failure), found.failure.message] : ['no-role', '']
  await unlisted(tools, before, { sweep, cause, message, isDone: !isPassing(cause) || receives >= triesAtMost })
}

const listed = async (
  tools: ListPlaceTools,
  before: PlaceRow,
  { sweep, names }: { sweep: string; names: string[] },
) => {
  const { places, log } = tools
  const clusters = names.filter((name) => clusterRef.shape.name.safeParse(name).success)
  const gone = before.clusters.filter((name) => !clusters.includes(name))
  await ask(tools, before, { sweep, names: [...clusters, ...gone] })
  if (before.unlisted?.told) {
    const notice = listedAgainNotice(before, before.unlisted, clusters.length)
    await tellOnce(tools, placeKey(before), { notice, about: ['listed again', before.unlisted.since] })
  }
  await places.put(withClusters(before, { sweep, clusters }))
  const odd = names.length - clusters.length
  log('listed', { place: placeKey(before), sweep, clusters: clusters.length, gone, ...(odd > 0 && { odd }) })
}

interface Failure {
  sweep: string
  cause: Cause
  message: string
  isDone: boolean
}

/** The row is there from the first failure on. What is refused for the list may be allowed for each cluster: they are looked at. */
const unlisted = async (tools: ListPlaceTools, before: PlaceRow, failure: Failure): Promise<void> => {
  const { sweep, cause, message, isDone } = failure
  const row = withFailure(before, { ...failure, at: tools.now().toISOString() })
  tools.log(
    'cannot be listed',
    { place: placeKey(row), sweep, cause, error: message, sweeps: row.unlisted.sweeps },
    'warn',
  )
  if (!isDone) {
    await tools.places.put(row)
    throw new RetryLaterError(`${placeKey(row)} cannot be listed: ${cause}: ${message}`, 30)
  }
  await ask(tools, row, { sweep, names: row.clusters })
  const tells = isToTell(row.unlisted)
  if (tells) {
    const notice = unlistedNotice(row, row.unlisted, row.clusters.length)
    await tellOnce(tools, placeKey(row), { notice, about: ['cannot be listed', row.unlisted.since] })
  }
  await tools.places.put({ ...row, unlisted: { ...row.unlisted, told: row.unlisted.told || tells } })
}

const ask = (
  { queues }: ListPlaceTools,
  { account, region }: Place,
  { sweep, names }: { sweep: string; names: string[] },
): Promise<void> =>
  queues.sendEvaluations(
    names.map((name): Evaluation => ({ schemaVersion: 1, cluster: { account, region, name }, reason: 'sweep', sweep })),
  )
