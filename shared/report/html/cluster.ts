import type { Finding, Plan, Report, Severity } from '../../domain/report.ts'
import { groupFindings } from '../finding-groups.ts'
import type { FindingGroup } from '../finding-groups.ts'
import { badge, cellText, legend, strip, table } from './pieces.ts'
import { html, lines } from './markup.ts'
import type { Column } from './pieces.ts'
import type { Markup } from './markup.ts'
import { groupNodes, nodeCells } from '../node-groups.ts'
import type { NodeGroup } from '../node-groups.ts'
import { evidenceText } from '../text/findings.ts'
import { forecastText, groupChanges, groupText } from '../text/plan.ts'
import { counted, rangeText, serviceRangeText, tally, whereabouts } from '../wording.ts'

/** Everything about one cluster: facts, what is wrong, its nodes, the plan. */
export const clusterSection = (report: Report): Markup => {
  const { findings, nodes, plan } = report
  const groups = groupFindings(findings)
  return html`${facts(report)}
${groups.length === 0 ? undefined : html`<section><h3>Findings</h3>${groups.map(findingBox)}</section>`}
${nodes.length === 0 ? undefined : nodeSection(report)}
${plan === undefined ? undefined : planSection(plan)}`
}

/** The same folded, for a fleet: the line says whether to open it. The link from the table leads inside, which opens it. */
export const clusterDetails = (report: Report, at: number): Markup => {
  const { cluster, verdict, findings } = report
  const first = groupFindings(findings)[0]?.finding
  const why =
    first === undefined || first.severity === 'info' ? undefined : html`<span class="why">${first.message}</span>`
  return html`<details data-verdict="${verdict}"><summary><span class="name">${cluster.name}</span> ${badge(verdict)} <span class="where">${whereabouts(cluster)}</span> ${why}</summary>
<div id="cluster-${at + 1}">${clusterSection(report)}</div></details>
`
}

const facts = ({ observedAt, serviceRange, desiredRange, calico, kubeProxy }: Report): Markup => {
  const proxy = [kubeProxy?.configuredMode, kubeProxy?.addonVersion].filter((part) => part !== undefined).join(' ')
  const pairs: [string, string | undefined][] = [
    ['Service range', serviceRange && serviceRangeText(serviceRange)],
    ['Calico should have', desiredRange && rangeText(desiredRange, 12)],
    ['kube-proxy', kubeProxy && (proxy === '' ? 'mode not known' : proxy)],
    ['Calico', calico && calicoText(calico)],
    ['Seen', observedAt],
  ]
  const known = pairs.filter(([, value]) => value !== undefined)
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const calicoText = ({ version, install, api }: NonNullable<Report['calico']>): string =>
  install === 'none' ? 'none' : [version ?? 'version not known', `by ${install}`, api].filter(Boolean).join(' · ')

const severityWords: Record<Severity, string> = { critical: 'Critical', warning: 'Warning', info: 'Good to know' }

const findingBox = ({ finding, subjects }: FindingGroup): Markup => {
  const { severity, code, message, evidence, remedy } = finding
  return html`<article class="finding ${severity}">
<h4><span class="severity">${severityWords[severity]}</span> <code>${code}</code> <span class="where">${subjectList(subjects)}</span></h4>
<p>${message}</p>
${evidence.length === 0 ? undefined : evidenceList(evidence)}
${remedy === undefined ? undefined : html`<p class="label">What to do</p><pre><code>${lines(remedy)}</code></pre>`}
</article>`
}

const mostEvidence = 8

const evidenceList = (evidence: Finding['evidence']): Markup => {
  const more = evidence.length - mostEvidence
  return html`<p class="label">Seen</p><ul class="evidence">${evidence.slice(0, mostEvidence).map((it) => html`<li>${evidenceText(it)}</li>`)}${
    more > 0 ? html`<li>and ${more} more in the JSON document</li>` : undefined
  }</ul>`
}

const subjectList = (subjects: readonly string[]): Markup =>
  subjects.length <= 3
    ? html`${subjects.join(', ')}`
    : html`${subjects[0]} <details class="more"><summary>and ${subjects.length - 1} more</summary>${subjects.slice(1).join(', ')}</details>`

const nodeColumns: readonly Column[] = [
  { head: 'Verdict' },
  { head: 'Nodes' },
  { head: 'Mode', holds: 'words' },
  { head: 'Felix says', holds: 'words' },
  { head: 'Range', holds: 'figures' },
  { head: 'Set in', holds: 'words' },
  { head: 'Mark mask', holds: 'figures' },
  { head: 'Room / pods', holds: 'figures' },
  { head: 'Why' },
]

const nodeSection = ({ nodes }: Report): Markup => {
  const all = nodes.map(({ verdict }) => verdict)
  const groups = groupNodes(nodes)
  const shown = groups.slice(0, mostGroups)
  const hidden = groups.slice(mostGroups).reduce((sum, { names }) => sum + names.length, 0)
  return html`<section><h3>${counted(nodes.length, 'node')}</h3>
${strip(all, `${counted(nodes.length, 'node')}: ${tally(all)}`)}${legend(all)}
${table('Nodes of which everything is the same share a row', nodeColumns, shown.map(nodeRow))}
${hidden === 0 ? undefined : html`<p class="where">${counted(hidden, 'more node')}, each different, in the JSON and CSV documents.</p>`}</section>`
}

/** A page with more different rows than this is no longer read; the other formats hold all. */
const mostGroups = 200

const nodeRow = ({ sample, names }: NodeGroup) => {
  const { mode, felix, range, from, mask, room, why } = nodeCells(sample)
  const cells = [badge(sample.verdict), nodeNames(names), ...[mode, felix, range, from, mask, room, why].map(cellText)]
  return { verdict: sample.verdict, cells }
}

const nodeNames = (names: readonly string[]): Markup => {
  if (names.length <= 2) return html`<span class="name">${names.join(', ')}</span>`
  const ending = sharedEnding(names)
  const short = names.map((name) => name.slice(0, name.length - ending.length)).join(', ')
  const note = ending === '' ? undefined : html` <span class="where">each with ${ending}</span>`
  return html`<details class="more"><summary>${names.length} nodes</summary> <span class="name">${short}</span>${note}</details>`
}

/** `.eu-central-1.compute.internal`: said once instead of a thousand times. */
const sharedEnding = ([first = '', ...others]: readonly string[]): string => {
  const ending = first.includes('.') ? first.slice(first.indexOf('.')) : ''
  return others.every((name) => name.length > ending.length && name.endsWith(ending)) ? ending : ''
}

const mostChanges = 40

const planSection = ({ strategy, changes, forecast, blockedBy }: Plan): Markup => {
  if (blockedBy.length > 0)
    return html`<section><h3>Plan</h3><p>Nothing is written while ${blockedBy.map((code) => html`<code>${code}</code> `)}stands; the finding says what to do.</p></section>`
  if (changes.length === 0) return html`<section><h3>Plan</h3><p>Nothing to do.</p></section>`
  const groups = groupChanges(changes)
  const more = groups.length - mostChanges
  return html`<section><h3>Plan <span class="where">${strategy}</span></h3><p>${forecastText(forecast)}</p>
<details><summary>${counted(changes.length, 'change')}</summary><ol class="changes">${groups.slice(0, mostChanges).map((group) => html`<li><code>${groupText(group)}</code></li>`)}</ol>
${more > 0 ? html`<p class="where">and ${more} more like these</p>` : undefined}</details></section>`
}
