import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { baselineFrom } from '../../cli/check/baseline.ts'
import { type FailOn, statusOf } from '../../cli/exit-status.ts'
import type { Finding, Report, Sweep } from '../../shared/domain/report.ts'
import { json } from '../../shared/report/json.ts'
import { outOfStep, rangeDiffers, report, sweep, unreachable } from '../report/samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'baseline-'))
afterAll(() => rmSync(folder, { recursive: true }))

const warning: Finding = { ...rangeDiffers, code: 'MODE_MIXED', severity: 'warning' }
const critical: Finding = { ...rangeDiffers, code: 'MARK_CAPACITY' }
const withMore = (more: Finding): Report => ({ ...outOfStep, findings: [...outOfStep.findings, more] })

interface Row {
  now: Report | Sweep
  before: Report | Sweep
  failOn?: FailOn
  status: number
}

const rows: [string, Row][] = [
  ['as it was', { now: outOfStep, before: outOfStep, status: 0 }],
  ['as it was, in a fleet', { now: sweep, before: sweep, status: 2 }],
  [
    'in a fleet, better than it was',
    { now: { ...sweep, clusters: [outOfStep] }, before: { ...sweep, clusters: [outOfStep, report()] }, status: 0 },
  ],
  ['worse than it was', { now: outOfStep, before: report(), status: 1 }],
  ['better than it was', { now: report(), before: outOfStep, status: 0 }],
  ['one more critical finding', { now: withMore(critical), before: outOfStep, status: 1 }],
  ['one more warning', { now: withMore(warning), before: outOfStep, status: 0 }],
  ['one more warning, and warnings fail', { now: withMore(warning), before: outOfStep, failOn: 'warning', status: 1 }],
  [
    'the same warning, and warnings fail',
    { now: withMore(warning), before: withMore(warning), failOn: 'warning', status: 0 },
  ],
  ['another cluster', { now: { ...outOfStep, cluster: { name: 'other' } }, before: outOfStep, status: 1 }],
  ['not judged, as before', { now: unreachable, before: unreachable, status: 2 }],
]

test.each(rows)('%s: --baseline', (_, { now, before, failOn, status }) => {
  expect(statusOf(now, failOn, before)).toBe(status)
})

test('a baseline is what -o json printed, of a cluster or a fleet; anything else is a wrong command line', async () => {
  const file = join(folder, 'last.json')
  for (const document of [outOfStep, sweep]) {
    writeFileSync(file, json(document))
    expect(await baselineFrom(file)).toEqual(document)
  }
  writeFileSync(file, '{"clusters": 3}')
  await expect(baselineFrom(file)).rejects.toThrow(/last\.json is not a result of check, plan or sweep with -o json/)
  await expect(baselineFrom(join(folder, 'none'))).rejects.toThrow(/none cannot be read/)
})
