import type { Report } from '../../../shared/domain/report.ts'
import { html } from '../../../shared/report/html/report.ts'
import { exampleState, reportOf } from '../samples/documents.ts'
import { compared, type Result } from './comparison.ts'

const clusters = 500
/** Every tenth is out of step; a page has more of such a cluster than of others. */
const isOut = (at: number): boolean => at % 10 === 0
const bytesAtMost = 2_000_000
const millisecondsAtMost = 1_000

/** The page of a fleet. */
export function fleetPages(rounds: number): Result[] {
  const report = reportOf(exampleState())
  const sweep = {
    schemaVersion: 1 as const,
    sweptAt: report.observedAt,
    clusters: Array.from(
      { length: clusters },
      (_, at): Report => ({
        ...report,
        cluster: { ...report.cluster, name: `cluster-${at}` },
        ...(!isOut(at) && { verdict: 'in-step' as const, findings: [] }),
      }),
    ),
  }
  const times: number[] = []
  let page = ''
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    page = html(sweep)
    times.push(performance.now() - began)
  }
  const limit = (unit: 'bytes' | 'ms', ours: number[], most: number): Result =>
    compared({
      name: `page of ${clusters} clusters, a tenth of them out of step, ${unit === 'ms' ? 'time' : 'size'}`,
      unit,
      ours,
      other: [most],
      otherName: 'what it may take',
      bound: 1,
    })
  return [limit('bytes', [Buffer.byteLength(page)], bytesAtMost), limit('ms', times, millisecondsAtMost)]
}
