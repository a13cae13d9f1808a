import type { Report, Sweep } from '../domain/report.ts'
import { clustersOf, plain, severities, verdicts, worstFirst } from './wording.ts'

/**
 * Text for Prometheus (version 0.0.4), for a node exporter's textfile collector or a push gateway. Labels stay few: a finding's
 * code and severity, never its subject.
 */
export const prometheus = (document: Report | Sweep): string => {
  const clusters = eachOnce(clustersOf(document))
  const lines = [
    ...family(
      'calico_ipvs_sync_verdict',
      'The verdict of the cluster: 1 for the current verdict.',
      clusters,
      (report) => verdicts.map((verdict) => [{ verdict }, report.verdict === verdict ? 1 : 0]),
    ),
    ...family('calico_ipvs_sync_nodes', 'Nodes of the cluster by verdict.', clusters, ({ nodes }) =>
      verdicts.map((verdict) => [{ verdict }, nodes.filter((node) => node.verdict === verdict).length]),
    ),
    ...family('calico_ipvs_sync_findings', 'Findings of the cluster by code and severity.', clusters, findingCounts),
    ...family(
      'calico_ipvs_sync_observed_seconds',
      'When the cluster was seen, in seconds since 1970.',
      clusters,
      (it) => {
        const seconds = Date.parse(it.observedAt) / 1000
        return Number.isFinite(seconds) ? [[{}, seconds]] : []
      },
    ),
  ]
  return `${lines.join('\n')}\n`
}

/** Of a cluster that was read twice, through two contexts or roles, the worst answer: Prometheus refuses a file in which a series comes twice. */
const eachOnce = (clusters: readonly Report[]): Report[] =>
  [...Map.groupBy(clusters, (report) => labelText(labelsOf(report))).values()].flatMap((same) =>
    worstFirst(same).slice(0, 1),
  )

type Sample = [labels: Record<string, string>, value: number]

const findingCounts = ({ findings }: Report): Sample[] =>
  severities.flatMap((severity) => {
    const codes = findings.filter((finding) => finding.severity === severity).map(({ code }) => code)
    return [...new Set(codes)].map((code): Sample => [{ code, severity }, codes.filter((it) => it === code).length])
  })

const family = (name: string, help: string, clusters: readonly Report[], samples: (report: Report) => Sample[]) => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} gauge`,
  ...clusters.flatMap((report) =>
    samples(report).map(([labels, value]) => `${name}{${labelText({ ...labelsOf(report), ...labels })}} ${value}`),
  ),
]

const labelsOf = ({ cluster: { name, account, region, context } }: Report): Record<string, string> => ({
  cluster: name,
  ...(account !== undefined && { account }),
  ...(region !== undefined && { region }),
  ...(account === undefined && context !== undefined && { context }),
})

const labelText = (labels: Record<string, string>): string =>
  Object.entries(labels)
    .map(([name, value]) => `${name}="${plain(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`)
    .join(',')
