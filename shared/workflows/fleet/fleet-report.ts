import type { FleetRecords } from '../../clients/aws/fleet-records.ts'
import type { ReportsBucket } from '../../clients/aws/reports-bucket.ts'
import { countFleet } from '../../domain/fleet-count.ts'
import { safeJson } from '../../domain/plain.ts'
import type { PlaceRow } from '../../domain/places.ts'
import type { Report, Sweep, Verdict } from '../../domain/report.ts'
import { unlistedReport } from '../../domain/unlisted-report.ts'
import { reportKey } from '../../domain/report-pages.ts'
import type { Log } from '../../log.ts'
import { clusterDetails } from '../../report/html/cluster.ts'
import type { Markup } from '../../report/html/markup.ts'
import { fleetPage } from '../../report/html/report.ts'
import { compareText, verdicts } from '../../report/wording.ts'

export interface FleetReportTools {
  records: FleetRecords
  /** The accounts and regions of the fleet. */
  places: () => Promise<PlaceRow[]>
  bucket: ReportsBucket
  /** Takes texts one by one and returns all of them compressed. */
  compressing: () => { write: (text: string) => Promise<void>; end: () => Promise<Uint8Array> }
  now: () => Date
  log: Log
}

/** Metrics of the fleet, from its records. */
export const countOnRecord = async ({ records, now, log }: Omit<FleetReportTools, 'places'>): Promise<void> =>
  log('fleet', countFleet(await records.latest(), now()))

/**
 * Writes the fleet of a day, as the command `sweep` would print it, from the stored reports and the places that could not be listed:
 * no cluster is evaluated for it. Only one report is in memory at a time, plus the page part of each earlier one. A second run writes the
 * same objects.
 */
export const writeFleetReport = async (tools: FleetReportTools, day: Date): Promise<void> => {
  const { records, places, bucket, compressing, now, log } = tools
  const sweptAt = now().toISOString()
  const json = compressing()
  await json.write(`{"schemaVersion":1,"sweptAt":${JSON.stringify(sweptAt)},"clusters":[`)
  const rows: Report[] = []
  const details: Markup[] = []
  const unlisted = (await places()).flatMap((place) => unlistedReport(place) ?? [])
  const entries = [
    ...unlisted.map((report) => ({ name: report.cluster.name, verdict: report.verdict, read: async () => report })),
    ...(await records.latest()).map(({ cluster, verdict }) => ({
      name: cluster.split('/').at(-1) ?? cluster,
      verdict,
      read: () => records.report(cluster),
    })),
  ]
  for (const { read } of worstFirst(entries)) {
    const report = await read()
    if (!report) continue
    await json.write(`${rows.length === 0 ? '' : ','}\n${safeJson(report)}`)
    details.push(clusterDetails(report, rows.length))
    rows.push(rowOf(report))
  }
  await json.write(']}\n')
  const page = compressing()
  await page.write(fleetPage({ sweptAt, clusters: rows }, details))
  const documents = [
    ['html', 'text/html; charset=utf-8', await page.end()],
    ['json', 'application/json', await json.end()],
  ] as const
  const date = day.toISOString().slice(0, 10).replaceAll('-', '/')
  for (const place of [date, 'latest'])
    for (const [ending, type, body] of documents) await bucket.put(reportKey(place, ending), { type, body })
  log('fleet report', {
    clusters: rows.length - unlisted.length,
    unlisted: unlisted.length,
    date,
    bytes: documents.map(([, , body]) => body.length),
  })
}

/** In the order of the page, which is known before a report is read. */
const worstFirst = <T extends { name: string; verdict: Verdict }>(entries: readonly T[]): T[] =>
  entries.toSorted((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict) || compareText(a.name, b.name))

/**
 * The data of a row in the page's table: of the nodes only their verdicts, because a fleet may have hundreds of
 * thousands of nodes.
 */
const rowOf = ({ nodes, findings, plan: _plan, ...report }: Report): Sweep['clusters'][number] => ({
  ...report,
  nodes: nodes.map(({ verdict }) => thin[verdict]),
  findings: findings.map(({ code, severity, subject }) => ({ code, severity, subject, message: '', evidence: [] })),
})

const nodeOf = (verdict: Report['verdict']): Report['nodes'][number] => ({
  name: '',
  verdict,
  runningMode: 'unknown',
  confidence: 'none',
})
/** One object for all nodes of a verdict. */
const thin = {
  'in-step': nodeOf('in-step'),
  'out-of-step': nodeOf('out-of-step'),
  changing: nodeOf('changing'),
  'not-applicable': nodeOf('not-applicable'),
  unknown: nodeOf('unknown'),
}
