import type { FindingCode, Report, Severity, Verdict } from '../report.ts'

/** What a look saw, in the few words that a year of looks can afford. */
export interface Seen {
  verdict: Verdict
  /** Each code once, with its worst severity. */
  findings: { code: FindingCode; severity: Severity }[]
  desiredRange?: string[]
  /** How many nodes have which verdict; what there is none of is absent. */
  nodes: Partial<Record<Verdict, number>>
}

/** Looks in a row that saw the same. Between `from` and `until` none saw anything else. RFC 3339. */
export interface Interval extends Seen {
  from: string
  /** Of the last look of the row; `nodes` are as it counted them. */
  until: string
  looks: number
}

/** One cluster on one day of UTC. */
export interface Day {
  intervals: Interval[]
  /** Looks that saw something new when there was no more room. */
  leftOut: number
}

/** Two hourly sweeps and the window that spreads them: who was not looked at for longer was not watched. */
export const gapMinutes = 150

/** A cluster whose verdict changes every quarter of an hour is told in full; what is beyond is counted. */
export const intervalsAtMost = 100
const rangesAtMost = 8

export const seenIn = ({ verdict, findings, desiredRange, nodes }: Report): Seen => {
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

/** `undefined`: the look is no later than what the day has already, so there is nothing to keep. */
export const withLook = (day: Day | undefined, at: string, seen: Seen): Day | undefined => {
  const { intervals, leftOut } = day ?? { intervals: [], leftOut: 0 }
  const last = intervals.at(-1)
  if (last && Date.parse(at) <= Date.parse(last.until)) return undefined
  // Once something was left out, nothing that follows is the same as what stands before it.
  if (last && leftOut === 0 && isSame(last, seen) && isUnbroken(last.until, at))
    return { intervals: [...intervals.slice(0, -1), { ...last, ...seen, until: at, looks: last.looks + 1 }], leftOut }
  if (intervals.length >= intervalsAtMost) return { intervals, leftOut: leftOut + 1 }
  return { intervals: [...intervals, { ...seen, from: at, until: at, looks: 1 }], leftOut }
}

/** Nodes come and go by themselves: how many there are makes it nothing else. */
export const isSame = (a: Seen, b: Seen): boolean => what(a) === what(b)
const what = ({ verdict, findings, desiredRange }: Seen): string =>
  JSON.stringify([verdict, findings.map(({ code, severity }) => [code, severity]), desiredRange])

export const isUnbroken = (from: string, to: string, minutes = gapMinutes): boolean =>
  Date.parse(to) - Date.parse(from) <= minutes * 60_000
