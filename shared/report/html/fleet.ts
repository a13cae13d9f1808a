import type { Report, Verdict } from '../../domain/report.ts'
import { groupFindings } from '../finding-groups.ts'
import { anchorOf } from './cluster.ts'
import { badge, bar, cellText, legend, rowOf, strip } from './pieces.ts'
import type { Column } from './pieces.ts'
import { fleetFindings } from './fleet-findings.ts'
import { fleetMatrix } from './fleet-matrix.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { isUnread, rangeText, severities, tally, verdicts, verdictWords, whereabouts } from '../wording.ts'

/** The fleet: a cell per cluster, what is wrong over all of them, where it is, and each cluster once with its details. */
export const fleetSection = (clusters: readonly Report[], details: readonly Markup[]): Markup => {
  const all = clusters.map(({ verdict }) => verdict)
  return html`<section aria-label="Verdicts">${strip(all, tally(all))}${legend(all)}</section>
${fleetFindings(clusters)}
${fleetMatrix(clusters)}
${clusters.length === 0 ? undefined : html`<section><h2>Clusters</h2>${filter(all)}${search}${fleetTable(clusters, details)}</section>`}`
}

type FleetColumn = Column & { cell: (report: Report, at: number) => Markup | undefined }

const columns: readonly FleetColumn[] = [
  { head: 'Cluster', cell: ({ cluster }, at) => html`<a class="name" href="#${anchorOf(at)}">${cluster.name}</a>` },
  { head: 'Verdict', holds: 'words', cell: ({ verdict }) => badge(verdict) },
  { head: 'Where', holds: 'words', cell: ({ cluster }) => cellText(whereabouts(cluster)) },
  { head: 'Nodes', holds: 'words', cell: (report) => (isUnread(report) ? undefined : nodesCell(report)) },
  { head: 'Mode', holds: 'words', cell: ({ kubeProxy }) => cellText(kubeProxy?.configuredMode) },
  { head: 'Calico', holds: 'words', cell: ({ calico }) => cellText(calico?.version) },
  { head: 'Desired range', holds: 'figures', cell: ({ desiredRange }) => cellText(rangeText(desiredRange, 2)) },
  { head: 'Findings', cell: (report) => findingsCell(report) },
]

/** A body for each cluster: its row, and below it what is known of it. */
const fleetTable = (clusters: readonly Report[], details: readonly Markup[]): Markup =>
  html`<table class="fleet"><caption>Worst first; a line opens its details</caption><thead><tr>${columns.map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
${clusters.map((report, at) => clusterBody(report, at, details[at]))}</table>`

const clusterBody = (report: Report, at: number, details: Markup | undefined): Markup => {
  const { account = '', region = '' } = report.cluster
  const codes = [...new Set(report.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code))]
  return html`<tbody data-verdict="${report.verdict}" data-account="${oneWord(account)}" data-region="${oneWord(region)}"${codes.length === 0 ? undefined : html` data-code="${codes.join(' ')}"`}><tr>${rowOf(
    columns,
    columns.map(({ cell }) => cell(report, at)),
  )}</tr>
<tr class="inside"><td colspan="${columns.length}">${details}</td></tr></tbody>
`
}

/** The script parts values at spaces. */
const oneWord = (text: string): string => text.replaceAll(/\s+/g, '_')

const nodesCell = ({ nodes }: Report): Markup => {
  const all = nodes.map(({ verdict }) => verdict)
  return html`<span><span class="count">${all.length}</span> ${bar(all, tally(all))}</span>`
}

/** Not by its colour alone. */
const mark = html`<span aria-hidden="true">! </span><span class="unseen">critical: </span>`

const findingsCell = ({ findings }: Report): Markup | undefined => {
  const groups = groupFindings(findings)
  const codes = severities
    .slice(0, 2)
    .flatMap((severity) =>
      [
        ...new Set(groups.filter(({ finding }) => finding.severity === severity).map(({ finding }) => finding.code)),
      ].map(
        (code) => html`<span class="code ${severity}">${severity === 'critical' ? mark : undefined}${code}</span> `,
      ),
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

const choice = (name: string, words: string): Markup =>
  html`<label>${words} <select name="${name}"><option value="">all</option></select></label>`

/** Shown by the script, which also finds out what there is to choose from. */
const search: Markup = html`<search id="search" hidden><label>Find <input type="search" placeholder="name, version, …"></label>${choice('verdict', 'Verdict')}${choice('account', 'Account')}${choice('region', 'Region')}${choice('code', 'Finding')}<output></output></search>`
