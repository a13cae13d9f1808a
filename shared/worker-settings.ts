import * as z from 'zod/mini'
import { own, worked } from './settings.ts'

export const evaluateSettings = z.extend(worked, {
  ...own.shape,
  EVALUATIONS_QUEUE_URL: z.url(),
  ROLLOUT_STEPS_QUEUE_URL: z.url(),
  TELLINGS_QUEUE_URL: z.url(),
  RECORDS_TABLE: z.string(),
  /** Name of the SSM parameter for the brake. */
  BRAKE_PARAMETER: z.string(),
})

/** Only evaluate decides about notices: a step that ends a rollout requests another evaluation. */
export const rolloutStepSettings = z.omit(evaluateSettings, { TELLINGS_QUEUE_URL: true })
