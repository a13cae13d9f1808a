import type { PlaceRecords } from '../../clients/aws/places.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { Records } from '../../clients/aws/records.ts'
import { type FleetBounds, whyOutside } from '../../domain/fleet.ts'
import { listedAgainNotice, unlistedNotice } from '../../domain/notice/place-notice.ts'
import {
  type Cause,
  causeOf,
  isTemporary,
  type Place,
  placeKey,
  type PlaceRow,
  withClusters,
  withFailure,
  withoutOwed,
  withWord,
} from '../../domain/places.ts'
import type { Read } from '../../domain/read.ts'
import { RetryLaterError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { clusterKey, clusterRef, type Evaluation, type PlaceMessage } from '../../messages.ts'
import { tellOnce } from './tell.ts'

export interface ListPlaceTools {
  fleet: FleetBounds
  /** Names of the clusters there; `undefined`: there is no role for the place. */
  list: (place: Place) => Promise<Read<string[]> | undefined>
  places: PlaceRecords
  records: Pick<Records, 'keepNotice' | 'lastReport'>
  queues: Pick<Queues, 'sendEvaluations' | 'sendTelling'>
  now: () => Date
  log: Log
}

/** For one message: temporary failures are retried after half a minute, and after a minute and a half. */
const triesAtMost = 3

/**
 * Lists one account and region, and requests an evaluation of each of its clusters and of those that existed before:
 * that evaluation reports deleted clusters. If the message arrives again, finished work is not repeated; of two
 * messages at the same time the first to finish counts.
 */
export const listPlace = async (
  tools: ListPlaceTools,
  { sweep, place }: PlaceMessage,
  { receives }: { receives: number },
): Promise<void> => {
  const { places, log } = tools
  const why = whyOutside(tools.fleet, place)
  if (why !== undefined) return log('place is not in the fleet any more', { place: placeKey(place), why })
  const before = await withoutDebt(tools, (await places.get(place)) ?? { ...place, sweep: '', clusters: [] })
  if (before.sweep >= sweep) return log('listed already', { place: placeKey(place), sweep })
  const found = await tools.list(place)
  if (found && 'value' in found) return listed(tools, before, { sweep, names: found.value })
  const [cause, message]: [Cause, string] = found ? [causeOf(found.failure), found.failure.message] : ['no-role', '']
  await unlisted(tools, before, { sweep, cause, message, isDone: !isTemporary(cause) || receives >= triesAtMost })
}

const listed = async (
  tools: ListPlaceTools,
  before: PlaceRow,
  { sweep, names }: { sweep: string; names: string[] },
) => {
  const { log } = tools
  const clusters = names.filter((name) => clusterRef.shape.name.safeParse(name).success)
  const gone = [...before.clusters, ...(before.leaving ?? [])].filter((name) => !clusters.includes(name))
  await ask(tools, before, { sweep, names: [...clusters, ...gone] })
  const leaving = await withRecords(tools, before, gone)
  if (!(await done(tools, before, withClusters(before, { sweep, clusters, leaving })))) return
  const odd = names.length - clusters.length
  log('listed', { place: placeKey(before), sweep, clusters: clusters.length, gone, ...(odd > 0 && { odd }) })
}

/** One evaluation may not be enough: it may meet a cluster that cannot be described, or get lost. */
const withRecords = async ({ records }: ListPlaceTools, place: Place, names: readonly string[]): Promise<string[]> => {
  const kept: string[] = []
  for (const name of names) if (await records.lastReport(clusterKey({ ...place, name }))) kept.push(name)
  return kept
}

interface Failure {
  sweep: string
  cause: Cause
  message: string
  isDone: boolean
}

/**
 * The row exists from the first failure on. If listing is denied, reading a single cluster may be allowed: so the
 * known clusters are evaluated.
 */
const unlisted = async (tools: ListPlaceTools, before: PlaceRow, failure: Failure): Promise<void> => {
  const { sweep, cause, message, isDone } = failure
  const row = withFailure(before, { ...failure, at: tools.now().toISOString() })
  tools.log(
    'cannot be listed',
    { place: placeKey(row), sweep, cause, error: message, sweeps: row.unlisted.sweeps },
    'warn',
  )
  if (!isDone) {
    await tools.places.put(row, { after: before.sweep })
    throw new RetryLaterError(`${placeKey(row)} cannot be listed: ${cause}: ${message}`, 30)
  }
  await ask(tools, row, { sweep, names: [...row.clusters, ...(row.leaving ?? [])] })
  await done(tools, before, withWord(row))
}

/** Records the place first and then sends the pending notice, so that people are notified only of recorded facts. */
const done = async (tools: ListPlaceTools, before: PlaceRow, row: PlaceRow): Promise<boolean> => {
  const isFirst = await tools.places.put(row, { after: before.sweep })
  if (isFirst) await withoutDebt(tools, row)
  else tools.log('listed already', { place: placeKey(row), sweep: row.sweep })
  return isFirst
}

/** Sends the pending notice, also one that an earlier function recorded but did not send. */
export const withoutDebt = async (
  tools: Pick<ListPlaceTools, 'places' | 'records' | 'queues' | 'now'>,
  row: PlaceRow,
): Promise<PlaceRow> => {
  const { owed, unlisted, clusters } = row
  if (!owed) return row
  const key = placeKey(row)
  if (owed.what === 'listed again') {
    const notice = listedAgainNotice(row, owed, clusters.length)
    await tellOnce(tools, key, { notice, about: ['listed again', owed.since] })
  } else if (unlisted) {
    const notice = unlistedNotice(row, unlisted, clusters.length)
    await tellOnce(tools, key, { notice, about: ['cannot be listed', unlisted.since] })
  }
  const paid = withoutOwed(row)
  await tools.places.put(paid, { after: row.sweep })
  return paid
}

const ask = (
  { queues }: ListPlaceTools,
  { account, region }: Place,
  { sweep, names }: { sweep: string; names: string[] },
): Promise<void> =>
  queues.sendEvaluations(
    names.map((name): Evaluation => ({ schemaVersion: 1, cluster: { account, region, name }, reason: 'sweep', sweep })),
  )
