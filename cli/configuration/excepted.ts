import { type Exception, exceptionsFor, isSilenced, withExceptions } from '../../shared/domain/policy/exception.ts'
import type { Report } from '../../shared/domain/report.ts'

export interface ExceptedReport<R extends Report> {
  /** Excepted findings are `info`, with the reason and the end. The verdict stays what is true. */
  shown: R
  /** Decides the exit status: a cluster without remaining findings counts as in step; `unknown` is never hidden. */
  counted: R
}

/** Exceptions as a deployment applies them, at the time of the observation. */
export const withoutExcepted = <R extends Report>(
  report: R,
  exceptions: readonly Exception[] = [],
): ExceptedReport<R> => {
  const excepted = exceptionsFor(exceptions, report.cluster, Date.parse(report.observedAt))
  const shown = { ...report, ...withExceptions(report, excepted) }
  const isQuiet = report.verdict !== 'unknown' && isSilenced(report, excepted)
  return { shown, counted: isQuiet ? { ...shown, verdict: 'in-step' } : shown }
}
