import * as z from 'zod/mini'
import type { PlaceQueue } from '../../clients/aws/place-queue.ts'
import { type FleetBounds, placesOf } from '../../domain/fleet.ts'
import type { Log } from '../../log.ts'
import type { Selection } from '../../domain/organization.ts'
import { type OrganizationTools, withOrganization } from './read-organization.ts'

export interface SweepTools {
  queue: Pick<PlaceQueue, 'sendPlaces' | 'sendClosing'>
  fleet: FleetBounds & { organization?: Selection | undefined }
  organization: OrganizationTools
  now: () => Date
  log: Log
}

const scheduled = z.object({ scheduledTime: z.iso.datetime({ offset: true }) })

/**
 * Sends one message for each account and region to list, and one that closes the sweep. If it is invoked twice for
 * one scheduled time, it sends the messages of the same sweep twice; each place and each cluster is still processed
 * once.
 */
export const sweep = async (
  { queue, fleet, organization, now, log }: SweepTools,
  event: unknown,
): Promise<{ places: number }> => {
  const id = sweepId(event, now())
  const at = now().toISOString()
  const places = placesOf(await withOrganization(organization, fleet, { sweep: id, at, log }))
  await queue.sendPlaces(places.map((place) => ({ schemaVersion: 1, sweep: id, place })))
  await queue.sendClosing({ schemaVersion: 1, sweep: id, closing: 0 })
  log('sweep', { sweep: id, places: places.length })
  return { places: places.length }
}

/** A manual sweep uses the current minute as its time. */
const sweepId = (event: unknown, now: Date): string => {
  const { success, data } = scheduled.safeParse(event)
  const at = success ? new Date(data.scheduledTime) : new Date(Math.floor(now.getTime() / 60_000) * 60_000)
  return at.toISOString()
}
