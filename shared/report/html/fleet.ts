import type { Report, Verdict } from '../../domain/report.ts'
import { groupFindings } from '../finding-groups.ts'
import { anchors, badge, bar, cellText, legend, strip, table } from './pieces.ts'
import type { Column, TableRow } from './pieces.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { rangeText, severities, tally, verdicts, verdictWords, whereabouts } from '../wording.ts'

/** The fleet on one screen: a cell per cluster, a filter, a row per cluster. */
export const fleetSection = (clusters: readonly Report[]): Markup => {
  const all = clusters.map(({ verdict }) => verdict)
  const anchorOf = anchors(clusters)
  const rows = clusters.map((report) => fleetRow(report, anchorOf.get(report) ?? ''))
  return html`<section aria-label="Fleet">${strip(all, tally(all))}${legend(all)}
${filter(all)}
${clusters.length === 0 ? undefined : table('Worst first; a name leads to the details', fleetColumns, rows)}</section>`
}

const fleetColumns: readonly Column[] = [
  { head: 'Cluster' },
  { head: 'Verdict' },
  { head: 'Where' },
  { head: 'Nodes', holds: 'words' },
  { head: 'Mode', holds: 'words' },
  { head: 'Calico' },
  { head: 'Desired range', holds: 'figures' },
  { head: 'Findings' },
]

const fleetRow = (report: Report, anchor: string): TableRow => {
  const nodes = report.nodes.map(({ verdict }) => verdict)
  const cells = [
    html`<a class="name" href="#${anchor}">${report.cluster.name}</a>`,
    badge(report.verdict),
    cellText(whereabouts(report.cluster)),
    html`<span><span class="count">${nodes.length}</span> ${bar(nodes, tally(nodes))}</span>`,
    cellText(report.kubeProxy?.configuredMode),
    cellText(report.calico?.version),
    cellText(rangeText(report.desiredRange, 2)),
    findingsCell(report),
  ]
  return { verdict: report.verdict, cells }
}

const findingsCell = ({ findings }: Report): Markup | undefined => {
  const groups = groupFindings(findings)
  const codes = severities
    .slice(0, 2)
    .flatMap((severity) =>
      [
        ...new Set(groups.filter(({ finding }) => finding.severity === severity).map(({ finding }) => finding.code)),
      ].map((code) => html`<span class="code ${severity}">${code}</span> `),
    )
  return codes.length === 0 ? undefined : html`<span>${codes}</span>`
}

/** Works without a script: the style sheet hides what the chosen button does not name. */
const filter = (all: readonly Verdict[]): Markup | undefined => {
  const present = verdicts.filter((verdict) => all.includes(verdict))
  if (present.length < 2) return undefined
  const button = (id: string, words: string, checked: string): Markup =>
    html`<label><input type="radio" name="show" id="show-${id}"${{ markup: checked }}> ${words}</label>`
  return html`<fieldset class="filter"><legend>Show</legend>${[
    button('all', 'all', ' checked'),
    ...present.map((verdict) => button(verdict, verdictWords[verdict], '')),
  ]}</fieldset>`
}
