import type { Report, Sweep } from '../../../shared/domain/report.ts'
import { html } from '../../../shared/report/html/report.ts'
import { json } from '../../../shared/report/json.ts'
import { exampleState, fiveHundred, reportOf } from '../samples/documents.ts'
import { compared, interleaved, type Result } from './comparison.ts'
import { expectedOf, mixedNodes } from './mixed-plan.ts'

const clusters = 500
/** Every tenth is out of step; a page has more of such a cluster than of others. */
const isOut = (at: number): boolean => at % 10 === 0
const bytesAtMost = 2_000_000
const millisecondsAtMost = 1_000

/** The page of a fleet, beside what it may take. */
export function fleetPages(rounds: number): Result[] {
  const report = reportOf(exampleState())
  const sweep: Sweep = {
    schemaVersion: 1,
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
  const written = Array.from({ length: rounds }, () => timed(() => html(sweep)))
  const limit = (unit: 'bytes' | 'ms', ours: number[], most: number): Result =>
    compared({
      name: `page of ${clusters} clusters, a tenth of them out of step, ${unit === 'ms' ? 'time' : 'size'}`,
      unit,
      ours,
      other: [most],
      otherName: 'what it may take',
      bound: 1,
    })
  return [
    limit(
      'bytes',
      written.slice(-1).map(({ bytes }) => bytes),
      bytesAtMost,
    ),
    limit(
      'ms',
      written.map(({ ms }) => ms),
      millisecondsAtMost,
    ),
  ]
}

/** The page of one cluster, beside its document in JSON. Nodes that are alike share a row, so hardly two are alike here. */
export async function nodePages(rounds: number): Promise<Result[]> {
  const report = reportOf(fiveHundred())
  const nodes = mixedNodes(report.nodes.length, 20_261_123).map((it) => ({ name: it.name, ...expectedOf(it) }))
  const mixed: Report = { ...report, nodes }
  const runs = await interleaved(rounds, {
    page: async () => timed(() => html(mixed)),
    document: async () => timed(() => json(mixed)),
  })
  const figures = (of: 'bytes' | 'ms') => ({
    ours: runs['page']?.map((it) => it[of]) ?? [],
    other: runs['document']?.map((it) => it[of]) ?? [],
    otherName: 'its document in JSON',
  })
  const what = `page of ${nodes.length} nodes of many kinds`
  return [
    compared({ name: `${what}, size`, unit: 'bytes', ...figures('bytes') }),
    compared({ name: `${what}, time`, unit: 'ms', ...figures('ms') }),
  ]
}

const timed = (write: () => string): { ms: number; bytes: number } => {
  const began = performance.now()
  const text = write()
  return { ms: performance.now() - began, bytes: Buffer.byteLength(text) }
}
