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

test.each<[string, Report | Sweep, Report | Sweep, FailOn | undefined, number]>([
  ['as it was', outOfStep, outOfStep, undefined, 0],
  ['as it was, in a fleet', sweep, sweep, undefined, 2],
  ['in a fleet, without what cannot be judged', { ...sweep, clusters: [outOfStep] }, sweep, undefined, 1],
  ['worse than it was', outOfStep, report(), undefined, 1],
  ['better than it was', report(), outOfStep, undefined, 0],
  ['one more critical finding', withMore(critical), outOfStep, undefined, 1],
  ['one more warning', withMore(warning), outOfStep, undefined, 0],
  ['one more warning, and warnings fail', withMore(warning), outOfStep, 'warning', 1],
  ['the same warning, and warnings fail', withMore(warning), withMore(warning), 'warning', 0],
  ['another cluster', { ...outOfStep, cluster: { name: 'other' } }, outOfStep, undefined, 1],
  ['not judged, as before', unreachable, unreachable, undefined, 2],
])('%s: --baseline', (_, now, before, failOn, status) => {
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
