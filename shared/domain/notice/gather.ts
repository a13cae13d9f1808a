import { openness, type Window } from '../policy/window.ts'
import type { Severity } from '../report.ts'
import type { OutgoingNotice } from './outgoing.ts'
import { isUrgent } from './route.ts'
import { severityOf } from './slack-form.ts'

/** When notices wait for others. A halt never waits. */
export interface GatherRules {
  /** Absent: each notice is sent by itself. */
  digest?: DigestRules | undefined
  /** Absent: at any hour. */
  quietHours?: { windows: readonly Window[]; holds: readonly Severity[] } | undefined
}

export interface DigestRules {
  /** Of more clusters than this, one digest is sent in place of their notices. */
  moreThan: number
  /** So long nothing new must come before it is known how many there are. */
  settleSeconds: number
  /** So long it is waited at most. */
  atMostMinutes: number
  /** `08:00`: when that is told which a digest of the last 24 hours has told already. */
  dailyAt: string
  timezone: string
}

/** A notice that waits. `at`: RFC 3339, since when. */
export interface Held {
  cluster: string
  hash: string
  at: string
  notice: OutgoingNotice
}

/** Causes that a digest has told, with the time (RFC 3339). */
export type ToldCauses = Record<string, string>

export type Sending =
  | { do: 'nothing' }
  | { do: 'wait'; seconds: number }
  /** Each by itself, in the order in which they came. */
  | { do: 'singly'; members: Held[] }
  /** One in place of all. */
  | { do: 'digest'; members: Held[] }

export const isHeld = (notice: OutgoingNotice, rules: GatherRules, now: Date): boolean =>
  !isUrgent(notice.attributes.kind) && (rules.digest !== undefined || isQuiet(notice, rules, now))

const isQuiet = (notice: OutgoingNotice, { quietHours }: GatherRules, now: Date): boolean =>
  quietHours !== undefined && quietHours.holds.includes(severityOf(notice)) && openness(quietHours.windows, now).open

const day = 86_400_000
/** One digest says no more: an item of the table has an end. */
export const membersAtMost = 1_000

/**
 * What is to be done with the notices that wait. `wait`: look again after so many seconds, nothing can be sent before. What no
 * digest of the last 24 hours has told is looked at by itself: it does not wait for what has been told.
 */
export const sendingOf = (held: readonly Held[], told: ToldCauses, rules: GatherRules, now: Date): Sending => {
  const inOrder = held.toSorted(byTime)
  const ripe = inOrder.filter(({ notice }) => !isQuiet(notice, rules, now))
  const [oldest] = ripe
  if (!oldest) return held.length === 0 ? { do: 'nothing' } : { do: 'wait', seconds: untilLoud(rules, now) }
  const { digest } = rules
  if (!digest) return { do: 'singly', members: ripe.slice(0, membersAtMost) }
  const fresh = ripe.filter((it) => isFresh(it, told, now))
  const group = fresh.length > 0 ? fresh : ripe
  const left = settlesIn(group, digest, now)
  if (left > 0) return { do: 'wait', seconds: left }
  const members = group.slice(0, membersAtMost)
  if (new Set(group.map(({ cluster }) => cluster)).size <= digest.moreThan) return { do: 'singly', members }
  const wait = fresh.length > 0 ? 0 : untilDaily(digest, oldest, now)
  return wait > 0 ? { do: 'wait', seconds: wait } : { do: 'digest', members }
}

/** As they came; of one moment in an order that is always the same. Their times are all of one form. */
export const byTime = (a: Held, b: Held): number => {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1
  return a.hash < b.hash ? -1 : 1
}

/** Until it is known how many there are. In order. */
const settlesIn = (held: readonly Held[], { settleSeconds, atMostMinutes }: DigestRules, now: Date): number => {
  const since = (it: Held | undefined) => (now.getTime() - Date.parse(it?.at ?? '')) / 1_000
  return Math.ceil(Math.min(settleSeconds - since(held.at(-1)), atMostMinutes * 60 - since(held[0])))
}

/** Its cause is one that no digest of the last 24 hours has told. */
const isFresh = ({ notice }: Held, told: ToldCauses, now: Date): boolean =>
  causesOf(notice).some((cause) => !(now.getTime() - Date.parse(told[cause] ?? '') < day))

export const causesOf = ({ about, attributes: { kind = 'trouble' } }: OutgoingNotice): string[] =>
  about?.causes ?? [kind]

/** Until the first daily moment after it began to wait; 0: that is over. */
const untilDaily = ({ dailyAt, timezone }: DigestRules, { at }: Held, now: Date): number => {
  // A whole day's window opens at its hour, once a day.
  const opens = openness([{ from: dailyAt, to: oneMinuteAfter(dailyAt), timezone }], new Date(at))
  const moment = opens.open ? Date.parse(at) : (opens.opensAt?.getTime() ?? Date.parse(at) + day)
  return Math.max(0, Math.ceil((moment - now.getTime()) / 1_000))
}

const oneMinuteAfter = (clock: string): string => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  const at = (hours * 60 + minutes + 1) % 1_440
  return `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`
}

const untilLoud = ({ quietHours }: GatherRules, now: Date): number => {
  const state = openness(quietHours?.windows ?? [], now)
  const end = state.open ? state.closesAt?.getTime() : undefined
  return end === undefined ? 900 : Math.max(1, Math.ceil((end - now.getTime()) / 1_000))
}

/** What is told with this digest, beside what was told within a day. */
export const toldWith = (told: ToldCauses, members: readonly Held[], now: Date): ToldCauses => {
  const kept = Object.entries(told).filter(([, at]) => now.getTime() - Date.parse(at) < day)
  const fresh = members.flatMap(({ notice }) => causesOf(notice)).map((cause) => [cause, now.toISOString()] as const)
  return Object.fromEntries([...kept, ...fresh])
}
