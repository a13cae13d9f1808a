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
 * to an answer. That a cluster could not be judged is never hidden.
 */
export const statusOf = (document: Report | Sweep, failOn?: FailOn): number => {
  const seen = new Set(clustersOf(document).map((report) => countedAs(report, failOn)))
  return ofVerdict[verdicts.find((verdict) => seen.has(verdict)) ?? 'in-step']
}

const countedAs = ({ verdict, findings }: Report, failOn?: FailOn): Verdict => {
  if (failOn === undefined || verdict === 'unknown') return verdict
  if (failOn === 'never') return 'in-step'
  return findings.some(({ severity }) => atLeast[failOn].includes(severity)) ? 'out-of-step' : verdict
}
