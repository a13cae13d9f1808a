import type { Claim, Sizes } from './claim.ts'
import { costsPart } from './costs-part.ts'
import { eventsPart } from './events-part.ts'
import { killsPart } from './kills-part.ts'
import { noticesPart } from './notices-part.ts'
import { readOnlyPart } from './read-only-part.ts'
import { stormPart } from './storm-part.ts'
import { sweepPart } from './sweep-part.ts'

/** What `npm run fleet` shows, in order: each with a folder of its own. */
export const parts = {
  events: eventsPart,
  'read-only': readOnlyPart,
  storm: stormPart,
  sweep: sweepPart,
  kills: killsPart,
  notices: noticesPart,
  costs: costsPart,
} satisfies Record<string, (folder: string, sizes: Sizes) => Promise<Claim[]>>

export type Part = keyof typeof parts
