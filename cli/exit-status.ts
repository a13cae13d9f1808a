import type { Report, Severity, Sweep, Verdict } from '../shared/domain/report.ts'

/** What scripts rely on; documented with the command line. */
export const exitStatus = { inStep: 0, outOfStep: 1, failed: 2, usage: 64 } as const

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

// Worst first, as for a cluster's nodes: something proven wrong says more than something not known.
const worst = [exitStatus.outOfStep, exitStatus.failed, exitStatus.inStep]

/**
 * By verdict; `--fail-on S` also makes 1 of a finding that severe, and `never` makes 0 of every look that came to an
 * answer. That a cluster could not be judged is never hidden.
 */
export const statusOf = (document: Report | Sweep, failOn?: FailOn): number => {
  const clusters = 'clusters' in document ? document.clusters : [document]
  const statuses = clusters.map((report) => statusOfReport(report, failOn))
  return worst.find((status) => statuses.includes(status)) ?? exitStatus.inStep
}

const statusOfReport = ({ verdict, findings }: Report, failOn?: FailOn): number => {
  const status = ofVerdict[verdict]
  if (failOn === undefined || status === exitStatus.failed) return status
  if (failOn === 'never') return exitStatus.inStep
  return findings.some(({ severity }) => atLeast[failOn].includes(severity)) ? exitStatus.outOfStep : status
}
