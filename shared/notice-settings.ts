import * as z from 'zod/mini'
import { worked } from './settings.ts'

const texts = z.optional(z.array(z.string()))
const severities = z.array(z.enum(['critical', 'warning', 'info']))

/** The filter of a route: `shared/domain/notice/route.ts`. */
const route = z.object({
  severity: z.optional(severities),
  account: texts,
  region: texts,
  cluster: texts,
  tag: z.optional(z.array(z.object({ key: z.string(), value: z.string() }))),
})

const window = z.object({
  days: z.optional(z.array(z.enum(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']))),
  from: z.string(),
  to: z.string(),
  timezone: z.string(),
})

/** The configuration of the function `tell`, validated at synthesis. */
export const noticeSetting = z.object({
  /** Address of the runbook's page. */
  runbook: z.optional(z.string()),
  digest: z.optional(
    z.object({
      moreThan: z.int(),
      settleSeconds: z.int(),
      atMostMinutes: z.int(),
      dailyAt: z.string(),
      timezone: z.string(),
    }),
  ),
  quietHours: z.optional(z.object({ windows: z.array(window), holds: severities })),
  /** `KEY=VALUE`: the tags that routes use. Others are not sent. */
  tags: z.array(z.string()),
  /** Topics besides that of all notices. */
  topics: z.array(z.object({ arn: z.string(), format: z.enum(['text', 'chat']), route })),
})
export type NoticeSetting = z.infer<typeof noticeSetting>

/** As text in a variable, because it contains names that are known only at deployment. */
const noticesVariable = z.pipe(
  z.pipe(
    z.string(),
    z.transform((text: string, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        context.issues.push({ code: 'custom', message: 'is not JSON', input: text })
        return z.NEVER
      }
    }),
  ),
  noticeSetting,
)

export const tellSettings = z.extend(worked, {
  NOTICES_TOPIC_ARN: z.string(),
  RECORDS_TABLE: z.string(),
  REPORTS_BUCKET: z.string(),
  NOTICES: noticesVariable,
})

export const notifySlackSettings = z.extend(worked, {
  SLACK_WEBHOOK_SECRET_ARN: z.string(),
  /** Empty: the secret is a webhook's URL. */
  SLACK_CHANNEL: z.string(),
  RECORDS_TABLE: z.string(),
})
