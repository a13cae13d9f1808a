import { describe, expect, test } from '@jest/globals'
import { type FailOn, statusOf } from '../../cli/exit-status.ts'
import type { Finding, Severity, Verdict } from '../../shared/domain/report.ts'
import { rangeDiffers, report } from '../report/samples.ts'

const finding = (severity: Severity): Finding => ({ ...rangeDiffers, severity })

const table: [verdict: Verdict, found: Severity | undefined, failOn: FailOn | undefined, status: number][] = [
  ['in-step', undefined, undefined, 0],
  ['not-applicable', undefined, undefined, 0],
  ['out-of-step', undefined, undefined, 1],
  ['changing', undefined, undefined, 1],
  ['unknown', undefined, undefined, 2],
  // By verdict alone, unless told.
  ['in-step', 'critical', undefined, 0],
  ['in-step', 'critical', 'critical', 1],
  ['in-step', 'warning', 'critical', 0],
  ['in-step', 'warning', 'warning', 1],
  ['in-step', 'critical', 'warning', 1],
  ['in-step', 'info', 'warning', 0],
  ['out-of-step', undefined, 'critical', 1],
  ['unknown', 'critical', 'critical', 2],
  ['out-of-step', 'critical', 'never', 0],
  ['changing', 'warning', 'never', 0],
  // A look that came to no answer is not a completed check.
  ['unknown', 'critical', 'never', 2],
]

describe('exit status', () => {
  test.each(table)('%s, a finding of %s, --fail-on %s: %i', (verdict, found, failOn, status) => {
    expect(statusOf(report({ verdict, findings: found ? [finding(found)] : [] }), failOn)).toBe(status)
  })

  test.each([
    [['in-step', 'not-applicable'], 0],
    [['in-step', 'unknown'], 2],
    [['unknown', 'changing', 'in-step'], 2],
    [['changing', 'in-step'], 1],
    [['unknown', 'out-of-step', 'in-step'], 1],
    [[], 0],
  ] as [Verdict[], number][])('a fleet of %j is as its worst cluster: %i', (verdicts, status) => {
    const clusters = verdicts.map((verdict) => report({ verdict }))
    expect(statusOf({ schemaVersion: 1, sweptAt: '2026-11-20T09:30:00Z', clusters })).toBe(status)
  })
})
