import * as z from 'zod/mini'
import type { NoticeKind } from '../domain/notice/outgoing.ts'
import type { SlackNotice } from '../domain/notice/slack-form.ts'

const kinds = [
  'trouble',
  'halted',
  'progress',
  'in-step',
  'switched',
  'unlisted',
  'listed-again',
  'gone',
  'digest',
  'test',
] as const satisfies readonly NoticeKind[]

/** All fields of `SlackNotice`, which the compiler verifies: zod drops a field that is not named here. */
const notice = z.object({
  schemaVersion: z.literal(1),
  subject: z.string(),
  text: z.string(),
  severity: z.enum(['critical', 'warning', 'info']),
  kind: z.enum(kinds),
  incident: z.optional(z.string().check(z.regex(/^[0-9a-f]{1,64}$/))),
  since: z.optional(z.string().check(z.maxLength(40))),
  links: z.array(z.object({ label: z.string(), url: z.url({ protocol: /^https?$/ }) })).check(z.maxLength(10)),
} satisfies Record<keyof SlackNotice, z.ZodMiniType>)

/** A message that this tool did not publish is plain text. */
export const slackNoticeIn = (subject: string, message: string): SlackNotice => {
  const read = notice.safeParse(parsed(message))
  if (!read.success) return { schemaVersion: 1, subject, text: message, severity: 'info', kind: 'trouble', links: [] }
  const { incident, since, ...rest } = read.data
  return { ...rest, ...(incident && { incident }), ...(since && { since }) }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
