import * as z from 'zod/mini'
import { own, worked } from './settings.ts'

const sending = z.extend(own, { EVALUATIONS_QUEUE_URL: z.url() })

export const onEventSettings = z.extend(sending, {
  RECORDS_TABLE: z.string(),
  /** Seconds between two evaluations for events of one cluster. */
  LOOK_GAP_SECONDS: z.pipe(z.pipe(z.string(), z.transform(Number)), z.number().check(z.minimum(0), z.maximum(900))),
})

export const sweepSettings = z.extend(own, { PLACES_QUEUE_URL: z.url(), RECORDS_TABLE: z.string() })

export const listClustersSettings = z.extend(worked, {
  ...sending.shape,
  TELLINGS_QUEUE_URL: z.url(),
  RECORDS_TABLE: z.string(),
})
