import * as z from 'zod'
import type { History } from '../../domain/history/history.ts'
import { findingCodes } from '../../domain/report.ts'

const time = z.iso.datetime({ offset: true })
const text = z.string()
const count = z.int().min(0)
const verdict = z.enum(['in-step', 'out-of-step', 'changing', 'not-applicable', 'unknown'])

export const historySchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    cluster: z.strictObject({ name: text, account: text, region: text }),
    from: time,
    to: time,
    readAt: time,
    gapLimits: z
      .array(z.strictObject({ from: time, minutes: count, source: z.enum(['configured', 'assumed', 'given']) }))
      .min(1)
      .describe('A time without an evaluation that is longer than `minutes` is a gap; each applies up to the next.'),
    gapMinutes: count.describe('The longest of `gapLimits`.'),
    intervals: z.array(
      z.strictObject({
        from: time,
        until: time,
        looks: count,
        verdict,
        findings: z.array(
          z.strictObject({ code: z.enum(findingCodes), severity: z.enum(['critical', 'warning', 'info']) }),
        ),
        desiredRange: z.array(text).exactOptional(),
        nodes: z.partialRecord(verdict, count),
      }),
    ),
    gaps: z.array(z.strictObject({ from: time, to: time })),
    writes: z.array(
      z.strictObject({
        at: time,
        rollout: text,
        what: text,
        object: text,
        before: text.exactOptional(),
        after: text.exactOptional(),
        by: text,
        why: text.exactOptional(),
        claimed: z.boolean(),
      }),
    ),
    leftOut: count,
    unreadable: count,
  })
  .meta({ id: 'History', description: 'Verdicts and writes of one cluster between two times, from the records.' })

true satisfies z.infer<typeof historySchema> extends History ? true : false

/** `docs/history.schema.json` (JSON Schema 2020-12). */
export const historyJsonSchema = (): object => ({
  title: 'calico-ipvs-sync history',
  ...z.toJSONSchema(historySchema),
})
