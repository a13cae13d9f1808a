import type { PlaceQueue } from '../../clients/aws/place-queue.ts'
import type { Records } from '../../clients/aws/records.ts'
import { placesOf, whyOutside } from '../../domain/fleet.ts'
import {
  hasShrunk,
  type Place,
  placeKey,
  type PlaceRow,
  type Unlisted,
  withFailure,
  withWord,
} from '../../domain/places.ts'
import { clusterKey, type ClosingMessage } from '../../messages.ts'
import { forgetReport } from './end-records.ts'
import { type ListPlaceTools, withoutDebt } from './list-place.ts'

export interface CloseSweepTools extends Omit<ListPlaceTools, 'list' | 'records'> {
  records: Pick<Records, 'lastReport' | 'endReport' | 'keepNotice'>
  queue: Pick<PlaceQueue, 'sendClosing'>
}

/** 5 s, 10 s … 10 min: about twenty minutes, then the known clusters are counted. */
const waitsAtMost = 8

/**
 * Counts the fleet when every place of it is done. Alarms count the log lines for an empty fleet and for one that has
 * shrunk. A place that could not be listed counts with its known clusters: it has its own row, notice and alarm. A
 * place whose message was never finished gets its row here. The verdicts of a place that left the fleet end.
 */
export const closeSweep = async (tools: CloseSweepTools, { sweep, closing }: ClosingMessage): Promise<void> => {
  const { fleet, places, queue, log } = tools
  const [rows, last] = await Promise.all([places.all(), places.total()])
  if (last && last.sweep >= sweep) return log('sweep ended already', { sweep })
  const known = new Map(rows.map((row) => [placeKey(row), row]))
  const wanted = placesOf(fleet).map((place) => known.get(placeKey(place)) ?? neverListed(place))
  const open = wanted.filter((row) => row.sweep < sweep)
  if (open.length > 0 && closing < waitsAtMost)
    return queue.sendClosing({ schemaVersion: 1, sweep, closing: closing + 1 }, 5 * 2 ** closing)
  for (const row of open) await leftOpen(tools, row, sweep)
  const clusters = wanted.reduce((sum, row) => sum + row.clusters.length, 0)
  const unlisted = wanted.filter((row) => row.unlisted).length
  const facts = { sweep, clusters, before: last?.clusters, places: wanted.length, unlisted, open: open.length }
  const counts = { Places: wanted.length, PlacesUnlisted: unlisted, PlacesOpen: open.length, ClustersListed: clusters }
  log('sweep ended', { ...facts, ...counts })
  const shrunk = last !== undefined && hasShrunk(last.clusters, clusters)
  if (clusters === 0) log('the fleet is empty', facts, 'warn')
  else if (shrunk) log('the fleet has shrunk', facts, 'warn')
  // After a fall that may be a mistake, the next sweep does it.
  if (!shrunk) for (const row of rows) if (whyOutside(fleet, row) !== undefined) await leftFleet(tools, row)
  await places.putTotal({ sweep, clusters })
}

const neverListed = (place: Place): PlaceRow => ({ ...place, sweep: '', clusters: [] })

/**
 * A place without a result in this sweep, or with failures that were to be tried again. Its message may still arrive
 * and finish it, or never: so if this has lasted, people are notified here.
 */
const leftOpen = async (tools: CloseSweepTools, row: PlaceRow, sweep: string): Promise<void> => {
  const failed = hasFailed(row, sweep) ? row : withFailure(row, { ...notDone, sweep, at: tools.now().toISOString() })
  const owing = withWord(failed)
  if (owing !== row && !(await tools.places.put(owing, { after: row.sweep }))) return
  if (failed !== row) tools.log('not done in the sweep', { place: placeKey(row), sweep }, 'warn')
  await withoutDebt(tools, owing)
}

const notDone = { cause: 'not-done', message: 'No function finished it.', isDone: false } as const

const hasFailed = (row: PlaceRow, sweep: string): row is PlaceRow & { unlisted: Unlisted } =>
  row.unlisted?.sweep === sweep

/**
 * An account or region that the fleet has no longer: nobody evaluates its clusters, so their last verdicts must not count
 * as those of the fleet. Their history is kept.
 */
const leftFleet = async ({ places, records, now, log }: CloseSweepTools, row: PlaceRow): Promise<void> => {
  const { account, region, sweep, clusters, leaving = [] } = row
  const names = [...clusters, ...leaving]
  if (names.length === 0 && !row.unlisted) return
  for (const name of names) await forgetReport({ records, now }, clusterKey({ account, region, name }))
  await places.put({ account, region, sweep, clusters: [] }, { after: sweep })
  log('place has left the fleet', { place: placeKey(row), clusters: names.length })
}
