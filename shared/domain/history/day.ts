import type { FindingCode, Report, Severity, Verdict } from '../report.ts'

/** The result of an evaluation, in a short form that is kept for 400 days. */
export interface DayResult {
  verdict: Verdict
  /** Each code once, with its worst severity. */
  findings: { code: FindingCode; severity: Severity }[]
  desiredRange?: string[]
  /** The number of nodes by verdict; verdicts without nodes are absent. */
  nodes: Partial<Record<Verdict, number>>
  /** `gapAfter` of the sweep as it was configured at the time. Absent: it was not recorded. */
  gapMinutes?: number
}

/** Consecutive evaluations with the same result. Between `from` and `until` there was no other result. RFC 3339. */
export interface Interval extends DayResult {
  from: string
  /** The result of the last of these evaluations, with its count of `nodes`. */
  until: string
  looks: number
}

/** One cluster on one day of UTC. */
export interface Day {
  intervals: Interval[]
  /** The number of evaluations with a new result for which there was no more room. */
  leftOut: number
}

/** How often the fleet is swept, and the window that spreads the start of sweeps. */
export interface SweepRate {
  everyMinutes: number
  withinMinutes: number
}

/**
 * A cluster without an evaluation for longer has a gap, in minutes: two sweeps, the window that spreads them, and a
 * quarter of an hour for the evaluations of a sweep.
 */
export const gapAfter = ({ everyMinutes, withinMinutes }: SweepRate): number => 2 * everyMinutes + withinMinutes + 15

/** Where no record says how often the fleet was swept: a sweep each hour, which is the default. */
export const assumedGapMinutes = gapAfter({ everyMinutes: 60, withinMinutes: 15 })

/** Enough for a cluster whose verdict changes every quarter of an hour; further results are only counted. */
export const intervalsAtMost = 100
const rangesAtMost = 8

export const dayResult = ({ verdict, findings, desiredRange, nodes }: Report): DayResult => {
  const worst = new Map<FindingCode, Severity>()
  for (const { code, severity } of findings)
    if (order.indexOf(severity) < order.indexOf(worst.get(code) ?? 'none')) worst.set(code, severity)
  const counts = new Map<Verdict, number>()
  for (const node of nodes) counts.set(node.verdict, (counts.get(node.verdict) ?? 0) + 1)
  return {
    verdict,
    findings: [...worst].map(([code, severity]) => ({ code, severity })).toSorted((a, b) => (a.code < b.code ? -1 : 1)),
    ...(desiredRange && { desiredRange: desiredRange.slice(0, rangesAtMost) }),
    nodes: Object.fromEntries(counts),
  }
}

const order: readonly string[] = ['critical', 'warning', 'info', 'none'] satisfies (Severity | 'none')[]

/** `undefined`: the evaluation is not newer than the last one of the day, so there is nothing to store. */
export const withResult = (day: Day | undefined, at: string, seen: DayResult): Day | undefined => {
  const { intervals, leftOut } = day ?? { intervals: [], leftOut: 0 }
  const { gapMinutes = assumedGapMinutes } = seen
  const last = intervals.at(-1)
  if (last && Date.parse(at) <= Date.parse(last.until)) return undefined
  // After a result was left out, a later result must not extend the interval before it.
  if (last && leftOut === 0 && isSame(last, seen) && isUnbroken(last.until, at, gapMinutes))
    return { intervals: [...intervals.slice(0, -1), { ...last, ...seen, until: at, looks: last.looks + 1 }], leftOut }
  if (intervals.length >= intervalsAtMost) return { intervals, leftOut: leftOut + 1 }
  return { intervals: [...intervals, { ...seen, from: at, until: at, looks: 1 }], leftOut }
}

/** Nodes join and leave all the time: their number alone is no new result. */
export const isSameResult = (a: DayResult, b: DayResult): boolean => what(a) === what(b)
/** An interval has one gap: a sweep that was configured anew begins another. */
const isSame = (a: DayResult, b: DayResult): boolean => isSameResult(a, b) && a.gapMinutes === b.gapMinutes
const what = ({ verdict, findings, desiredRange }: DayResult): string =>
  JSON.stringify([verdict, findings.map(({ code, severity }) => [code, severity]), desiredRange])

export const isUnbroken = (from: string, to: string, minutes: number): boolean =>
  Date.parse(to) - Date.parse(from) <= minutes * 60_000
