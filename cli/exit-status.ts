import { clustersOf, verdicts } from '../shared/report/wording.ts'
import type { Report, Severity, Sweep, Verdict } from '../shared/domain/report.ts'

/** What scripts rely on; documented with the command line. */
export const exitStatus = { inStep: 0, outOfStep: 1, failed: 2, usage: 64 } as const

/** Commands report their exit status through this. */
export type Ending = (status: number) => void

const ofVerdict: Record<Verdict, number> = {
  'in-step': exitStatus.inStep,
  'not-applicable': exitStatus.inStep,
  'out-of-step': exitStatus.outOfStep,
  changing: exitStatus.outOfStep,
  unknown: exitStatus.failed,
}

export type FailOn = 'critical' | 'warning' | 'never'

const atLeast: Record<Exclude<FailOn, 'never'>, readonly Severity[]> = {
  critical: ['critical'],
  warning: ['critical', 'warning'],
}

/**
 * By the worst verdict; `--fail-on S` also makes 1 of a finding that severe, and `never` makes 0 of every look that came
 * to an answer. That a cluster could not be judged is never hidden. What `baseline` has of the same cluster already does not count.
 */
export const statusOf = (document: Report | Sweep, failOn?: FailOn, baseline?: Report | Sweep): number => {
  const before = baseline ? clustersOf(baseline) : []
  const seen = new Set(
    clustersOf(document).map((report) => countedAs(newIn(report, before.find(isSameCluster(report))), failOn)),
  )
  return ofVerdict[verdicts.find((verdict) => seen.has(verdict)) ?? 'in-step']
}

const isSameCluster =
  ({ cluster: { name, account, region, context } }: Report) =>
  ({ cluster: other }: Report): boolean =>
    other.name === name && other.account === account && other.region === region && other.context === context

/** Leaves what is new since the baseline. A verdict that is no worse counts as in step, unless a finding of that severity is new. */
const newIn = (report: Report, before: Report | undefined): Report => {
  if (!before || report.verdict === 'unknown') return report
  const known = new Set(before.findings.map(sameness))
  const findings = report.findings.filter((finding) => !known.has(sameness(finding)))
  const isWorse = verdicts.indexOf(report.verdict) < verdicts.indexOf(before.verdict)
  const isNew = isWorse || findings.some(({ severity }) => severity === 'critical')
  return { ...report, findings, verdict: isNew ? report.verdict : 'in-step' }
}

const sameness = ({ code, severity, subject }: Report['findings'][number]): string =>
  JSON.stringify([code, severity, subject])

const countedAs = ({ verdict, findings }: Report, failOn?: FailOn): Verdict => {
  if (failOn === undefined || verdict === 'unknown') return verdict
  if (failOn === 'never') return 'in-step'
  return findings.some(({ severity }) => atLeast[failOn].includes(severity)) ? 'out-of-step' : verdict
}
