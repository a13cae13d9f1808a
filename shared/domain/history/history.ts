import { type Day, type Interval, isSame, isUnbroken } from './day.ts'

/** The records of one cluster between two times, for an auditor. */
export interface History {
  schemaVersion: 1
  cluster: { name: string; account: string; region: string }
  /** RFC 3339; `to` is exclusive. */
  from: string
  to: string
  readAt: string
  /** A time without an evaluation that is longer than this is a gap. */
  gapMinutes: number
  /** Oldest first. There is no result for times outside the intervals. */
  intervals: Interval[]
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

type Asked = Pick<History, 'cluster' | 'from' | 'to' | 'readAt' | 'gapMinutes'>

/** `days`: in order, including the day before the first, whose last interval may extend into it. */
export const historyOf = ({ days, writes, unreadable }: Records, asked: Asked): History => {
  const intervals = joined(
    days.flatMap((day) => day.intervals),
    asked.gapMinutes,
  )
  const within = ({ from, to }: Span): boolean => from < asked.to && to >= asked.from
  return {
    schemaVersion: 1,
    ...asked,
    intervals: intervals.filter(({ from, until }) => within({ from, to: until })),
    gaps: gapsBetween(intervals, asked),
    writes: writes.filter(({ at }) => within({ from: at, to: at })).toSorted((a, b) => (a.at < b.at ? -1 : 1)),
    leftOut: days.reduce((sum, { leftOut }) => sum + leftOut, 0),
    unreadable,
  }
}

/** Intervals are joined across midnight. */
const joined = (intervals: readonly Interval[], gapMinutes: number): Interval[] => {
  const all: Interval[] = []
  for (const next of intervals) {
    const last = all.at(-1)
    if (last && isSame(last, next) && isUnbroken(last.until, next.from, gapMinutes))
      all[all.length - 1] = { ...next, from: last.from, looks: last.looks + next.looks }
    else all.push(next)
  }
  return all
}

/** The last one ends with the requested time or now, whichever is earlier: the future is no gap. */
const gapsBetween = (intervals: readonly Interval[], { from, to, readAt, gapMinutes }: Asked): Span[] => {
  const end = to < readAt ? to : readAt
  const edges = [from, ...intervals.flatMap((it) => [it.from, it.until]), end]
  return intervals.length === 0
    ? from < end
      ? [{ from, to: end }]
      : []
    : pairs(edges).flatMap(([last = '', next = '']) => {
        const gap = { from: last < from ? from : last, to: next > end ? end : next }
        return isUnbroken(last, next, gapMinutes) || gap.from >= gap.to ? [] : [gap]
      })
}

/** The ends and starts of intervals; the first and the last are the bounds of the requested time. */
const pairs = (edges: readonly string[]): string[][] =>
  Array.from({ length: edges.length / 2 }, (_, at) => edges.slice(at * 2, at * 2 + 2))
