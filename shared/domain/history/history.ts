import { type Day, type Interval, isSameResult } from './day.ts'
import { type GapLimit, gapLimits, isWatched } from './gap-limits.ts'

/** The records of one cluster between two times, for an auditor. */
export interface History {
  schemaVersion: 1
  cluster: { name: string; account: string; region: string }
  /** RFC 3339; `to` is exclusive. */
  from: string
  to: string
  readAt: string
  /** Which times without an evaluation are gaps: at least one limit, in the order of time. */
  gapLimits: GapLimit[]
  /** The longest of them, for readers from before there were several. */
  gapMinutes: number
  /** Oldest first. There is no result for times outside the intervals. */
  intervals: Omit<Interval, 'gapMinutes'>[]
  /** Times without an evaluation. */
  gaps: Span[]
  writes: Write[]
  /** The number of results that did not fit into the record of their day. */
  leftOut: number
  /** The number of invalid records; they are not used. */
  unreadable: number
}

export interface Span {
  from: string
  to: string
}

/** One write, as its record has it. */
export interface Write {
  at: string
  rollout: string
  what: string
  object: string
  before?: string
  after?: string
  by: string
  why?: string
  /**
   * Only the cluster has this entry: it was written from a terminal, or by a function that died before it could
   * record it.
   */
  claimed: boolean
}

interface Records {
  days: readonly Day[]
  writes: readonly Write[]
  unreadable: number
}

/** `gapMinutes`: what counts as a gap, whatever the records say of it. */
type Asked = Pick<History, 'cluster' | 'from' | 'to' | 'readAt'> & { gapMinutes?: number }

/**
 * Days to read before the first and after the last: longer than any limit of a gap, which is little more than two days
 * where none is given. So a cluster without an evaluation in them was not watched at that end.
 */
export const daysBeside = (gapMinutes = 0): number => Math.max(3, Math.ceil(gapMinutes / 1440) + 1)

/** `days`: in order, with `daysBeside` those that were asked for. */
export const historyOf = ({ days, writes, unreadable }: Records, asked: Asked): History => {
  const { cluster, from, to, readAt } = asked
  const all = days.flatMap((day) => day.intervals)
  const recorded = all.filter((it) => it.from < to)
  const intervals = joined(recorded, asked.gapMinutes)
  const within = (it: Span): boolean => it.from < to && it.to >= from
  const limits = gapLimits(recorded, asked)
  const isAsked = (it: Interval): boolean => within({ from: it.from, to: it.from })
  return {
    schemaVersion: 1,
    cluster,
    from,
    to,
    readAt,
    gapLimits: limits,
    gapMinutes: Math.max(...limits.map(({ minutes }) => minutes)),
    intervals: intervals.filter((it) => within({ from: it.from, to: it.until })).map(shown),
    gaps: gapsBetween([...intervals, ...all.slice(recorded.length)], asked),
    writes: writes.filter(({ at }) => within({ from: at, to: at })).toSorted((a, b) => (a.at < b.at ? -1 : 1)),
    leftOut: days.reduce((sum, { intervals: [first], leftOut }) => sum + (first && isAsked(first) ? leftOut : 0), 0),
    unreadable,
  }
}

const shown = ({ from, until, looks, verdict, findings, desiredRange, nodes }: Interval) => ({
  from,
  until,
  looks,
  verdict,
  findings,
  nodes,
  ...(desiredRange && { desiredRange }),
})

/** Intervals are joined across midnight, and where only the sweep was configured anew. */
const joined = (intervals: readonly Interval[], gapMinutes: number | undefined): Interval[] => {
  const all: Interval[] = []
  for (const next of intervals) {
    const last = all.at(-1)
    const between = last && { from: last.until, to: next.from, before: last, after: next }
    if (last && between && isSameResult(last, next) && isWatched(between, gapMinutes))
      all[all.length - 1] = { ...next, from: last.from, looks: last.looks + next.looks }
    else all.push(next)
  }
  return all
}

/** The intervals go on beyond `to`. A gap ends with the requested time or now, whichever is earlier: the future is no gap. */
const gapsBetween = (intervals: readonly Interval[], { from, to, readAt, gapMinutes }: Asked): Span[] => {
  const end = to < readAt ? to : readAt
  return [undefined, ...intervals].flatMap((before, at) => {
    const after = intervals[at]
    const between = { from: before?.until ?? from, to: after?.from ?? readAt, before, after }
    const gap = { from: between.from < from ? from : between.from, to: between.to > end ? end : between.to }
    const isNone = (before !== undefined && isWatched(between, gapMinutes)) || gap.from >= gap.to
    return isNone ? [] : [gap]
  })
}
