import * as z from 'zod/mini'
import { endOf } from './domain/policy/exception.ts'
import { findingCodes } from './domain/report.ts'
import { isTimezone, weekdays } from './domain/policy/window.ts'

// The small build of zod has no error texts by default; a function's log needs only short ones.
z.config({ localeError: (it) => ('expected' in it ? `is not ${String(it.expected)}` : it.code) })

/** The accounts and regions of the fleet: `shared/domain/fleet.ts`. */
const regions = z.array(z.string()).check(z.minLength(1))
export const fleet = z.object({
  own: z.string(),
  deployment: z.optional(z.string()),
  externalId: z.optional(z.string()),
  regions,
  accounts: z
    .array(
      z.object({
        account: z.string(),
        regions: z.optional(regions),
        viewerRoleArn: z.optional(z.string()),
        operatorRoleArn: z.optional(z.string()),
        externalId: z.optional(z.string()),
      }),
    )
    .check(z.minLength(1)),
  /** Further accounts, found by each sweep: `shared/domain/organization.ts`. */
  organization: z.optional(
    z.object({
      units: z.optional(z.array(z.string())),
      tag: z.optional(z.object({ key: z.string(), value: z.optional(z.string()) })),
      leaveOut: z.optional(z.array(z.string())),
    }),
  ),
})
export type Fleet = z.infer<typeof fleet>

const clock = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/, 'is a time of day such as 22:00'))
const window = z.strictObject({
  days: z.optional(z.array(z.enum(weekdays)).check(z.minLength(1))),
  from: clock,
  to: clock,
  timezone: z.string().check(z.refine(isTimezone, 'is a name of the tz database such as Europe/Berlin')),
})
const isEnd = (until: string) =>
  Number.isFinite(endOf({ cluster: '', reason: '', until })) && /^\d{4}-\d\d-\d\d/.test(until)
const nonEmpty = z.string().check(z.minLength(1))
export const exception = z.strictObject({
  cluster: nonEmpty,
  code: z.optional(z.enum(findingCodes)),
  until: z.string().check(z.refine(isEnd, 'is a date such as 2027-03-31, or a time such as 2027-03-31T18:00:00Z')),
  reason: z.string().check(z.minLength(1), z.maxLength(500)),
})

const atLeast = (least: number) => z.int().check(z.minimum(least))

const share = z
  .templateLiteral([z.int(), '%'])
  .check(z.refine((text) => /^([1-9]\d?|100)%$/.test(text), 'is from 1% to 100%'))

export const policySetting = z.object({
  action: z.optional(z.enum(['off', 'report', 'sync'])),
  limit: z.optional(z.enum(['off', 'report', 'sync'])),
  strategy: z.optional(z.enum(['staged', 'canary', 'direct'])),
  maxUnavailable: z.optional(z.union([atLeast(1), share])),
  restarts: z.optional(z.enum(['auto', 'always', 'never'])),
  canarySeconds: z.optional(atLeast(0)),
  settleSeconds: z.optional(atLeast(0)),
  nodeDeadlineSeconds: z.optional(atLeast(1)),
  ignoreOwner: z.optional(z.boolean()),
  windows: z.optional(z.array(window).check(z.maxLength(50))),
  exceptions: z.optional(z.array(exception).check(z.maxLength(100))),
  clustersAtOnce: z.optional(atLeast(1)),
  pauseOnAlarms: z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(1600))).check(z.maxLength(100))),
})

/**
 * The environment of each function, read once at cold start: names of resources, which are known only at deployment.
 * The configuration is in `deployment.json`. The stack uses these types, so that a forgotten variable does not
 * compile.
 */
export const own = z.object({ OWN_ACCOUNT: z.string() })

/** The number of receives after which a message becomes a dead letter. */
export const receivesAtMost = 5

/** The queue that a function processes, and its dead-letter queue. */
export const worked = z.object({ WORK_QUEUE_URL: z.url(), DEAD_LETTERS_QUEUE_URL: z.url() })

/** The names of a function's variables, all of which the stack must set. */
export type Environment<S extends z.ZodMiniObject> = Record<keyof z.input<S>, string>

/** Throws with all missing or invalid names, never with a value. */
export const readSettings = <S extends z.ZodMiniObject>(schema: S, env: NodeJS.ProcessEnv): z.output<S> => {
  const parsed = schema.safeParse(env)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`Settings of this function are incomplete; deploy the stack again. ${faults.join('; ')}`)
}
