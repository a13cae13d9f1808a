import type { GapLimit } from '../../domain/history/gap-limits.ts'
import type { History, Span, Write } from '../../domain/history/history.ts'
import { counted, duration, rangeText, severities, tally, verdicts, verdictWords } from '../wording.ts'

type Interval = History['intervals'][number]

/** The rows of a history in chronological order, for all formats. */
export type Row = { at: string } & ({ interval: Interval } | { gap: Span })

export const rowsOf = ({ intervals, gaps }: History): Row[] =>
  [
    ...intervals.map((interval): Row => ({ at: interval.from, interval })),
    ...gaps.map((gap): Row => ({ at: gap.from, gap })),
    // A gap begins with the last evaluation before it.
  ].toSorted((a, b) => (a.at === b.at ? ('gap' in a ? 1 : -1) : a.at < b.at ? -1 : 1))

/** `2026-11-22 13:02` */
export const minute = (at: string): string => at.slice(0, 16).replace('T', ' ')

/** `2026-11-22 13:02:10` */
export const second = (at: string): string => at.slice(0, 19).replace('T', ' ')

/** `Out of step for 92 min, in step for 5 days 23 h. No evaluation for 6 h. 18 writes.` */
export const summaryOf = ({ intervals, gaps, writes, from: asked }: History): string => {
  const seconds = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)
  const parts = verdicts.flatMap((verdict) => {
    const all = intervals.filter((it) => it.verdict === verdict)
    // An interval of the day before may extend into the first.
    const sum = all.reduce((total, { from, until }) => total + seconds(from < asked ? asked : from, until), 0)
    return all.length === 0 ? [] : [`${verdictWords[verdict]} for ${duration(sum)}`]
  })
  const unknown = gaps.reduce((total, { from, to }) => total + seconds(from, to), 0)
  const all = parts.length === 0 ? 'No evaluation is on record' : parts.join(', ')
  const gap = unknown > 0 ? ` No evaluation for ${duration(unknown)}.` : ''
  return `${all.charAt(0).toUpperCase()}${all.slice(1)}.${gap} ${counted(writes.length, 'write')}.`
}

/** `no evaluation between 2026-11-23 05:00 and 2026-11-23 09:00 (4 h)` */
export const gapText = ({ from, to }: Span): string =>
  `no evaluation between ${minute(from)} and ${minute(to)} (${duration((Date.parse(to) - Date.parse(from)) / 1000)})`

/** `critical RANGE_DIFFERS, info IPVS_DEPRECATED` */
export const findingsText = ({ findings }: Interval): string =>
  severities
    .flatMap((severity) => findings.filter((it) => it.severity === severity))
    .map(({ severity, code }) => `${severity} ${code}`)
    .join(', ')

/** `3 out of step, 9 in step` */
export const nodesText = ({ nodes }: Interval): string =>
  tally(verdicts.flatMap((verdict) => Array.from({ length: Math.min(nodes[verdict] ?? 0, 100_000) }, () => verdict)))

export const rangesText = ({ desiredRange }: Interval): string => rangeText(desiredRange, 8)

/** `-> 20000:32767` */
export const changeText = ({ before, after }: Write): string =>
  before === undefined && after === undefined ? '' : `${before ?? 'nothing'} -> ${after ?? 'nothing'}`

export const claimedText = 'claimed by the cluster; the deployment has no record of it'

/** Remarks about the whole history, which the rows do not show. */
export const remarksOf = ({ intervals, writes, leftOut, gaps, gapLimits, unreadable }: History): string[] => [
  `${counted(intervals.length, 'interval')}, ${counted(gaps.length, 'gap')}, ${counted(writes.length, 'write')}. Times are UTC.`,
  `A gap is a time without an evaluation, ${gapLimits.map(limitText).join('; ')}.`,
  ...(gaps.length > 0
    ? ['The state during a gap is not known: nobody looked, or the cluster was switched off or not in the fleet.']
    : []),
  ...(leftOut > 0
    ? [`${counted(leftOut, 'result')} did not fit into the record of their day; they are not shown.`]
    : []),
  ...(unreadable > 0 ? [`${counted(unreadable, 'record is', 'records are')} invalid; they are not used.`] : []),
]

/** `if it is longer than 150 minutes (as the sweep was configured); from 2026-11-23 06:10 than 2895 minutes (…)` */
const limitText = ({ from, minutes, source }: GapLimit, at: number): string =>
  `${at === 0 ? 'if it is longer' : `from ${minute(from)}`} than ${minutes} minutes (${limitWords[source]})`

const limitWords: Record<GapLimit['source'], string> = {
  configured: 'as the sweep was configured',
  assumed: 'assumed: there is no record of how often the fleet was swept',
  given: 'as given',
}
