import { assumedGapMinutes, type Interval, isUnbroken } from './day.ts'

/** A time without an evaluation that is longer than this is a gap. */
export interface GapLimit {
  /** From when it applied, up to the next limit. RFC 3339. */
  from: string
  minutes: number
  /** By the sweep as it was configured at the time · not recorded, so an hourly sweep is assumed · given by who asks. */
  source: 'configured' | 'assumed' | 'given'
}

type Asked = { from: string; gapMinutes?: number }

/** In the order of time; the first applies from the beginning of what was asked for. */
export const gapLimits = (intervals: readonly Interval[], { from, gapMinutes }: Asked): GapLimit[] => {
  if (gapMinutes !== undefined) return [{ from, minutes: gapMinutes, source: 'given' }]
  const limits: GapLimit[] = []
  for (const it of intervals) {
    const [last, limit] = [limits.at(-1), limitOf(it)]
    if (last?.minutes === limit.minutes && last.source === limit.source) continue
    // What ended before that time does not apply in it.
    if (it.from <= from) limits.length = 0
    limits.push({ from: limits.length === 0 ? from : it.from, ...limit })
  }
  return limits.length === 0 ? [{ from, ...assumed }] : limits
}

const assumed = { minutes: assumedGapMinutes, source: 'assumed' } as const
const limitOf = ({ gapMinutes }: Interval): Omit<GapLimit, 'from'> =>
  gapMinutes === undefined ? assumed : { minutes: gapMinutes, source: 'configured' }

/** The times between which there was no evaluation, and the intervals beside them, if any. */
interface Between {
  from: string
  to: string
  before?: Interval | undefined
  after?: Interval | undefined
}

/** When the sweep was configured anew between two evaluations is not known: the longer limit applies. */
export const isWatched = ({ from, to, before, after }: Between, given: number | undefined): boolean =>
  isUnbroken(from, to, given ?? Math.max(...[before, after].flatMap((it) => (it ? limitOf(it).minutes : []))))

/** Shorter gaps than this are not in the records: evaluations in between are one interval. */
export const leastGapMinutes = (intervals: readonly Interval[]): number =>
  Math.max(0, ...intervals.map((it) => limitOf(it).minutes))
