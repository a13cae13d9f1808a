import { clustersOf, verdicts } from '../shared/report/wording.ts'
import type { ProgressOutput } from './progress.ts'
import type { Report, Severity, Sweep, Verdict } from '../shared/domain/report.ts'

/** The exit statuses; scripts rely on them. */
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

export interface FailOptions {
  failOn?: FailOn
  /** A file. */
  baseline?: string
}

const atLeast: Record<Exclude<FailOn, 'never'>, readonly Severity[]> = {
  critical: ['critical'],
  warning: ['critical', 'warning'],
}

/**
 * The exit status for the worst verdict. `--fail-on S` also gives 1 for a finding of that severity, and `never` gives
 * 0 for every verdict except `unknown`, which is never hidden. Findings of the same cluster in `baseline` do not
 * count.
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

/**
 * Keeps only what is new since the baseline. A verdict that is not worse counts as in step, unless a finding of that
 * severity is new.
 */
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

/** The same; where only the baseline makes it less, a line says why a cluster that is out of step is no failure. */
export const statusSince = (
  document: Report | Sweep,
  { failOn, baseline: file }: FailOptions,
  baseline: Report | Sweep | undefined,
  telling: Pick<ProgressOutput, 'done'>,
): number => {
  const status = statusOf(document, failOn, baseline)
  if (status !== statusOf(document, failOn))
    telling.done(`Exit status ${status}: what is out of step was so already in ${file}.`)
  return status
}
