import { type Day, type Interval, isSame, isUnbroken } from './day.ts'

/** What the records of a deployment tell of one cluster between two moments: an auditor's proof. */
export interface History {
  schemaVersion: 1
  cluster: { name: string; account: string; region: string }
  /** RFC 3339; `to` itself is no longer in it. */
  from: string
  to: string
  readAt: string
  /** So long without a look is a gap. */
  gapMinutes: number
  /** Oldest first. What no interval covers was not seen. */
  intervals: Interval[]
  /** Spans in which nobody looked. */
  gaps: Span[]
  writes: Write[]
  /** Looks that saw something new and found no room in the record of their day. */
  leftOut: number
  /** Records that are not as this tool writes them; nothing is taken from them. */
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
  /** Only the cluster says so: a person at a terminal wrote it, or a function that ended before it could record it. */
  claimed: boolean
}

interface Records {
  days: readonly Day[]
  writes: readonly Write[]
  unreadable: number
}

type Asked = Pick<History, 'cluster' | 'from' | 'to' | 'readAt' | 'gapMinutes'>

/** `days`: in their order, and the one before the first, whose last look may reach into it. */
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

/** Midnight parts no interval. */
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

/** The last one ends with the span, or now where that is earlier: what is yet to come is no gap. */
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

/** Where an interval ends and the next begins; first and last are the edges of the span. */
const pairs = (edges: readonly string[]): string[][] =>
  Array.from({ length: edges.length / 2 }, (_, at) => edges.slice(at * 2, at * 2 + 2))
