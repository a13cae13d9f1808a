import * as z from 'zod'
import { endOf } from './domain/exception.ts'
import { findingCodes } from './domain/report.ts'
import { isTimezone, weekdays } from './domain/window.ts'

/**
 * The environment of each function, read once at cold start. The stack's types come from here, so that a forgotten
 * variable does not compile. Values are text; JSON where a value has structure.
 */
const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown
      } catch {
        context.addIssue({ code: 'custom', message: 'is not JSON' })
        return z.NEVER
      }
    })
    .pipe(schema)

/** Which accounts and regions the fleet spans. `roleArn` absent: the function's own role. */
export const fleet = z.object({
  regions: z.array(z.string()).min(1),
  accounts: z.array(z.object({ account: z.string(), roleArn: z.string().optional() })).min(1),
})
export type Fleet = z.infer<typeof fleet>

const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, 'is a time of day such as 22:00')
const window = z.strictObject({
  days: z.array(z.enum(weekdays)).min(1).optional(),
  from: clock,
  to: clock,
  timezone: z.string().refine(isTimezone, 'is a name of the tz database such as Europe/Berlin'),
})
const exception = z.strictObject({
  cluster: z.string().min(1),
  code: z.enum(findingCodes).optional(),
  until: z
    .string()
    .refine((until) => Number.isFinite(endOf({ cluster: '', reason: '', until })) && /^\d{4}-\d\d-\d\d/.test(until), {
      message: 'is a date such as 2027-03-31, or a moment such as 2027-03-31T18:00:00Z',
    }),
  reason: z.string().min(1).max(500),
})

export const policySetting = z.object({
  action: z.enum(['off', 'report', 'sync']).optional(),
  strategy: z.enum(['staged', 'canary', 'direct']).optional(),
  maxUnavailable: z.union([z.int().min(1), z.templateLiteral([z.int(), '%'])]).optional(),
  restarts: z.enum(['auto', 'always', 'never']).optional(),
  canarySeconds: z.int().min(0).optional(),
  settleSeconds: z.int().min(0).optional(),
  nodeDeadlineSeconds: z.int().min(1).optional(),
  ignoreOwner: z.boolean().optional(),
  windows: z.array(window).max(50).optional(),
  exceptions: z.array(exception).max(100).optional(),
  clustersAtOnce: z.int().min(1).optional(),
  pauseOnAlarms: z.array(z.string().min(1).max(1600)).max(100).optional(),
})

export const onEventSettings = z.object({ EVALUATIONS_QUEUE_URL: z.url() })

export const sweepSettings = z.object({ EVALUATIONS_QUEUE_URL: z.url(), FLEET: json(fleet) })

export const evaluateSettings = z.object({
  EVALUATIONS_QUEUE_URL: z.url(),
  ROLLOUT_STEPS_QUEUE_URL: z.url(),
  NOTICES_TOPIC_ARN: z.string(),
  RECORDS_TABLE: z.string(),
  FLEET: json(fleet),
  /** Partial: what is absent has the default of `shared/domain/policy.ts`. */
  POLICY: json(policySetting),
})

/** Telling people is evaluate's alone: a step that ends a rollout asks for another look. */
export const rolloutStepSettings = evaluateSettings.omit({ NOTICES_TOPIC_ARN: true, RECORDS_TABLE: true })

export const notifySlackSettings = z.object({ SLACK_WEBHOOK_SECRET_ARN: z.string() })

/** The names of a function's variables, all of which the stack must give. */
export type Environment<S extends z.ZodObject> = Record<keyof z.input<S>, string>

/** Throws with every name that is missing or wrong, never with a value. */
export const readSettings = <S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): z.output<S> => {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`Settings of this function are incomplete; deploy the stack again. ${faults.join('; ')}`)
}
