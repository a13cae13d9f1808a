import { openness, type Window } from '../policy/window.ts'
import type { Severity } from '../report.ts'
import type { OutgoingNotice } from './outgoing.ts'
import { isUrgent } from './route.ts'
import { severityOf } from './slack-form.ts'

/** When notices wait for others. A halt never waits. */
export interface GatherRules {
  /** Absent: each notice is sent separately. */
  digest?: DigestRules | undefined
  /** Absent: at any hour. */
  quietHours?: { windows: readonly Window[]; holds: readonly Severity[] } | undefined
}

export interface DigestRules {
  /** For more clusters than this, one digest is sent instead of their notices. */
  moreThan: number
  /** The digest is sent when there was no new notice for this time. */
  settleSeconds: number
  /** The maximum waiting time. */
  atMostMinutes: number
  /** `08:00`: when causes are sent again that a digest of the last 24 hours already had. */
  dailyAt: string
  timezone: string
}

/** A notice that waits. `at`: RFC 3339, since when. */
export interface HeldNotice {
  cluster: string
  hash: string
  at: string
  notice: OutgoingNotice
}

/** Causes that a digest has reported, each with the severity (`critical UNREACHABLE`), and the time (RFC 3339). */
export type ReportedCauses = Record<string, string>

export type Sending =
  | { do: 'nothing' }
  | { do: 'wait'; seconds: number }
  /** Each separately, in the order of arrival. `superseded`: not at all, because a later one of them says more. */
  | { do: 'singly'; members: HeldNotice[]; superseded: HeldNotice[] }
  /** One digest instead of its members. `left`: how many notices remain for the next one. `reported`: the causes reported so far, to be stored with it. */
  | { do: 'digest'; members: HeldNotice[]; left: number; reported: ReportedCauses }

export const mustWait = (notice: OutgoingNotice, rules: GatherRules, now: Date): boolean =>
  !isUrgent(notice.attributes.kind) && (rules.digest !== undefined || isQuiet(notice, rules, now))

const isQuiet = (notice: OutgoingNotice, { quietHours }: GatherRules, now: Date): boolean =>
  quietHours !== undefined && quietHours.holds.includes(severityOf(notice)) && openness(quietHours.windows, now).open

const day = 86_400_000
/** The maximum for one digest, because an item of the table is limited in size. */
export const membersAtMost = 1_000

/**
 * What to do with the waiting notices. `wait`: check again after this many seconds, nothing can be sent before.
 * Causes that no digest of the last 24 hours had, at this severity or a higher one, are handled separately: they do not
 * wait for known causes.
 */
export const sendingOf = (
  held: readonly HeldNotice[],
  reported: ReportedCauses,
  rules: GatherRules,
  now: Date,
): Sending => {
  const inOrder = held.toSorted(byTime)
  const ripe = inOrder.filter(({ notice }) => !isQuiet(notice, rules, now))
  const [oldest] = ripe
  if (!oldest) return held.length === 0 ? { do: 'nothing' } : { do: 'wait', seconds: untilLoud(rules, now) }
  const { digest } = rules
  if (!digest) return singly(ripe)
  const fresh = ripe.filter((it) => isFresh(it, reported, now))
  const group = fresh.length > 0 ? fresh : ripe
  const left = settlesIn(group, digest, now)
  if (left > 0) return { do: 'wait', seconds: left }
  if (new Set(group.map(({ cluster }) => cluster)).size <= digest.moreThan) return singly(group)
  const wait = fresh.length > 0 ? 0 : untilDaily(digest, oldest, now)
  return wait > 0 ? { do: 'wait', seconds: wait } : digestNow(group, reported, now)
}

/** Too many are divided equally, so that the last part is a digest as well; it is sent at once. */
const digestNow = (group: readonly HeldNotice[], reported: ReportedCauses, now: Date): Sending => {
  const size = Math.ceil(group.length / Math.ceil(group.length / membersAtMost))
  const [members, left] = [group.slice(0, size), group.slice(size)]
  return { do: 'digest', members, left: left.length, reported: withReported(reported, { members, left }, now) }
}

/** The trouble of one incident is said once, as it is in the end, for each notice lists all that is found; unless it was worse before. */
const singly = (group: readonly HeldNotice[]): Sending => {
  const all = group.slice(0, membersAtMost)
  const incidentOf = ({ cluster, notice: { attributes, about } }: HeldNotice) =>
    attributes.kind === 'trouble' && about?.incident !== undefined ? `${cluster} ${about.incident}` : undefined
  const isSuperseded = (it: HeldNotice, index: number) => {
    const incident = incidentOf(it)
    const saysMore = (later: HeldNotice) => incidentOf(later) === incident && rank(later.notice) >= rank(it.notice)
    return incident !== undefined && all.slice(index + 1).some(saysMore)
  }
  return {
    do: 'singly',
    members: all.filter((it, index) => !isSuperseded(it, index)),
    superseded: all.filter(isSuperseded),
  }
}

const ascending: readonly Severity[] = ['info', 'warning', 'critical']
const rank = (notice: OutgoingNotice): number => ascending.indexOf(severityOf(notice))

/** In the order of arrival; notices with the same time are in a stable order. All times have one format. */
export const byTime = (a: HeldNotice, b: HeldNotice): number => {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1
  return a.hash < b.hash ? -1 : 1
}

/** Seconds until the digest can be sent. `held` is in order. */
const settlesIn = (held: readonly HeldNotice[], { settleSeconds, atMostMinutes }: DigestRules, now: Date): number => {
  const since = (it: HeldNotice | undefined) => (now.getTime() - Date.parse(it?.at ?? '')) / 1_000
  return Math.ceil(Math.min(settleSeconds - since(held.at(-1)), atMostMinutes * 60 - since(held[0])))
}

/** No digest of the last 24 hours had its cause, at its severity or a higher one. */
const isFresh = ({ notice }: HeldNotice, reported: ReportedCauses, now: Date): boolean => {
  const isReported = (key: string) => now.getTime() - Date.parse(reported[key] ?? '') < day
  const asSevere = ascending.slice(rank(notice))
  return causesOf(notice).some((cause) => !asSevere.some((severity) => isReported(`${severity} ${cause}`)))
}

export const causesOf = ({ about, attributes: { kind = 'trouble' } }: OutgoingNotice): string[] =>
  about?.causes ?? [kind]

/** Seconds until the first daily time after it began to wait; 0: that time has passed. */
const untilDaily = ({ dailyAt, timezone }: DigestRules, { at }: HeldNotice, now: Date): number => {
  // A window of a whole day opens once a day, at its time.
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

/** The causes of this digest, and those of the last day. A cause that also waits for the next digest is not yet reported. */
const withReported = (
  reported: ReportedCauses,
  { members, left }: { members: readonly HeldNotice[]; left: readonly HeldNotice[] },
  now: Date,
): ReportedCauses => {
  const keysOf = ({ notice }: HeldNotice) => causesOf(notice).map((cause) => `${severityOf(notice)} ${cause}`)
  const waiting = new Set(left.flatMap(keysOf))
  const kept = Object.entries(reported).filter(([, at]) => now.getTime() - Date.parse(at) < day)
  const fresh = members.flatMap(keysOf).filter((key) => !waiting.has(key))
  return Object.fromEntries([...kept, ...fresh.map((key) => [key, now.toISOString()] as const)])
}
