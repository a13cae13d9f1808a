import type { Finding, Plan, Report, Severity } from '../../domain/report.ts'
import { groupFindings, shownGroups, shownRemedies, type ShownRemedy } from '../finding-groups.ts'
import type { FindingGroup } from '../finding-groups.ts'
import { badge, cellText, legend, strip, table } from './pieces.ts'
import { heading, html } from './markup.ts'
import type { Column } from './pieces.ts'
import type { Markup } from './markup.ts'
import { leavingIpvs } from './pictures/leaving-ipvs.ts'
import { markBits } from './pictures/mark-bits.ts'
import { portAxis } from './pictures/port-axis.ts'
import { timeline } from './pictures/timeline.ts'
import { remedyBlock } from './remedy.ts'
import { groupNodes, nodeCells } from '../node-groups.ts'
import type { NodeGroup } from '../node-groups.ts'
import { evidenceText } from '../text/findings.ts'
import { forecastText, groupChanges, groupText } from '../text/plan.ts'
import {
  counted,
  nodesConcerned,
  paragraphs,
  rangeText,
  serviceRangeText,
  severities,
  tally,
  verdictWords,
} from '../wording.ts'

/** Everything about one cluster: facts, what is wrong, pictures, its nodes, the plan. `level`: of its headings. */
export const clusterSection = (report: Report, level = 2): Markup => {
  const { findings, nodes, plan } = report
  const { shown: groups, leftOut } = shownGroups(groupFindings(findings))
  const remedies = shownRemedies(groups.map(({ finding }) => finding))
  const isAlone = level === 2
  return html`${facts(report)}
${groups.length === 0 ? undefined : html`<section>${heading(level, 'Findings')}${groups.map((group) => findingBox(group, { level: level + 1, remedy: remedies.get(group.finding) }))}${leftOut.map(({ code, count }) => html`<p class="where">and ${count} more <code>${code}</code> in the JSON document</p>`)}</section>`}
${isAlone ? pictures(report) : picturesOf(report)}
${nodes.length === 0 ? undefined : nodeSection(report, level)}
${plan === undefined ? undefined : planSection(plan, level)}`
}

/** Before everything else: of how many nodes it is so, what was found, and what would be written. */
export const lead = (report: Report): Markup | undefined => {
  const { verdict, findings, plan } = report
  const concerned = nodesConcerned(report)
  const groups = groupFindings(findings)
  const found = severities.flatMap((severity) => {
    const count = groups.filter(({ finding }) => finding.severity === severity).length
    return count === 0 ? [] : [severityCount(count, severity)]
  })
  const sentences = [
    concerned === '' ? '' : `${concerned} ${verdictWords[verdict]}.`,
    found.length === 0 ? '' : `Findings: ${found.join(', ')}.`,
    plan === undefined || (plan.changes.length === 0 && plan.blockedBy.length === 0) ? '' : `Plan: ${planText(plan)}`,
  ].filter((sentence) => sentence !== '')
  return sentences.length === 0 ? undefined : html`<p class="lead">${sentences.join(' ')}</p>`
}

const severityCount = (count: number, severity: Severity): string =>
  severity === 'warning' ? counted(count, 'warning') : `${count} ${severityWords[severity].toLowerCase()}`

const planText = ({ blockedBy, changes, forecast }: Plan): string =>
  blockedBy.length > 0
    ? `nothing is written while ${blockedBy.join(', ')} stands.`
    : `${counted(changes.length, 'change')}. ${forecastText(forecast)}`

const pictures = (report: Report): Markup | undefined => {
  const drawn = [rolloutPicture(report), portAxis(report), markBits(report), leavingIpvs(report)].filter(
    (it) => it !== undefined,
  )
  return drawn.length === 0 ? undefined : html`<section>${heading(2, 'Pictures')}${drawn}</section>`
}

/** In a fleet a picture is drawn where a finding speaks of it; of what is well the table says enough. */
const picturesOf = (report: Report): Markup => {
  const codes = report.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
  const speaks = (of: RegExp): boolean => codes.some((code) => of.test(code))
  return html`${rolloutPicture(report)}${speaks(/^(RANGE|STRAY)_/) ? portAxis(report) : undefined}${speaks(/^MARK_/) ? markBits(report) : undefined}`
}

const rolloutPicture = ({ rollout, observedAt }: Report): Markup | undefined =>
  rollout &&
  timeline({
    state: rollout.state,
    until: observedAt,
    ...(rollout.lost !== undefined && { lost: rollout.lost }),
    writes: rollout.writes,
  })

/** Where a cluster's details are on the page; by its place, since names repeat and may hold anything. */
export const anchorOf = (at: number): string => `cluster-${at + 1}`

/** The same folded, for a fleet: the line says whether to open it. A link to what is inside opens it. */
export const clusterDetails = (report: Report, at: number): Markup => {
  const first = groupFindings(report.findings)[0]?.finding
  const why = first === undefined || first.severity === 'info' ? quietly(report) : html`${first.message}`
  return html`<details><summary>${why}</summary><div id="${anchorOf(at)}">${clusterSection(report, 3)}</div></details>`
}

/** Of a cluster without a finding that needs somebody. Who hears a list of these lines hears of which cluster each is. */
const quietly = ({ verdict, cluster }: Report): Markup => {
  if (verdict === 'changing') return html`A change is under way; look again in a few minutes`
  return html`Details<span class="unseen"> of ${cluster.name}</span>`
}

const facts = ({ observedAt, readSeconds, serviceRange, desiredRange, calico, kubeProxy }: Report): Markup => {
  const proxy = [kubeProxy?.configuredMode, kubeProxy?.addonVersion].filter((part) => part !== undefined).join(' ')
  const pairs: [string, string | undefined][] = [
    ['Service range', serviceRange && serviceRangeText(serviceRange)],
    ['Calico should have', desiredRange && rangeText(desiredRange, 12)],
    ['kube-proxy', kubeProxy && (proxy === '' ? 'mode not known' : proxy)],
    ['Calico', calico && calicoText(calico)],
    ['Seen', observedAt],
    ['Read in', readSeconds === undefined ? undefined : `${readSeconds} s`],
  ]
  const known = pairs.filter(([, value]) => value !== undefined)
  return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

const calicoText = ({ version, install, api }: NonNullable<Report['calico']>): string =>
  install === 'none' ? 'none' : [version ?? 'version not known', `by ${install}`, api].filter(Boolean).join(' · ')

export const severityWords: Record<Severity, string> = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Good to know',
}

const findingBox = (
  { finding, subjects }: FindingGroup,
  { level, remedy }: { level: number; remedy: ShownRemedy | undefined },
): Markup => {
  const { severity, code, message, evidence } = finding
  return html`<article class="finding ${severity}">
${heading(level, html`<span class="severity">${severityWords[severity]}</span> <code>${code}</code> <span class="where">${subjects.length <= 3 ? subjects.join(', ') : counted(subjects.length, 'time')}</span>`)}
${paragraphs(message).map((it) => html`<p>${it}</p>`)}
${subjects.length <= 3 ? undefined : subjectList(subjects)}
${evidence.length === 0 ? undefined : evidenceList(evidence)}
${remedy === undefined ? undefined : html`<p class="label">What to do</p>${'text' in remedy ? remedyBlock(remedy.text) : html`<p>As for <code>${remedy.sameAs}</code>, above.</p>`}`}
</article>`
}

const mostEvidence = 8

const evidenceList = (evidence: Finding['evidence']): Markup => {
  const more = evidence.length - mostEvidence
  return html`<p class="label">Seen</p><ul class="evidence">${bySource(evidence.slice(0, mostEvidence)).map(sourceItem)}${
    more > 0 ? html`<li>and ${more} more in the JSON document</li>` : undefined
  }</ul>`
}

/** What was seen one after another in the same field at the same time. */
const bySource = (evidence: Finding['evidence']): Finding['evidence'][] => {
  const sources: Finding['evidence'][] = []
  for (const it of evidence) {
    const last = sources.at(-1)
    const [sample] = last ?? []
    const isSame = sample && sample.object === it.object && sample.field === it.field && sample.at === it.at
    if (last && isSame && it.value !== undefined && sample.value !== undefined) last.push(it)
    else sources.push([it])
  }
  return sources
}

/** The field once, and below it what it says; a single value stands behind it. */
const sourceItem = (source: Finding['evidence']): Markup => {
  const [sample] = source
  if (!sample) return html``
  if (source.length === 1) return html`<li>${evidenceText(sample)}</li>`
  const { value: _, ...field } = sample
  return html`<li>${evidenceText(field)}<ul>${source.map(({ value = '' }) => html`<li>${value}</li>`)}</ul></li>`
}

const subjectList = (subjects: readonly string[]): Markup =>
  html`<details class="more"><summary>${subjects[0]} and ${subjects.length - 1} more</summary> ${subjects.slice(1).join(', ')}</details>`

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

const nodeSection = ({ nodes }: Report, level: number): Markup => {
  const all = nodes.map(({ verdict }) => verdict)
  const groups = groupNodes(nodes)
  const shown = groups.slice(0, mostGroups)
  const hidden = groups.slice(mostGroups).reduce((sum, { names }) => sum + names.length, 0)
  return html`<section>${heading(level, counted(nodes.length, 'node'))}
${level > 2 && new Set(all).size === 1 ? undefined : html`${strip(all, `${counted(nodes.length, 'node')}: ${tally(all)}`)}${legend(all)}`}
${table(
  'Nodes of which everything is the same share a row',
  nodeColumns,
  shown.map((it) => nodeRow(it, level > 2)),
)}
${hidden === 0 ? undefined : html`<p class="where">${counted(hidden, 'more node')}, each different, in the JSON and CSV documents.</p>`}</section>`
}

/** A page with more different rows than this is no longer read; the other formats hold all. */
const mostGroups = 200

const nodeRow = ({ sample, names }: NodeGroup, isFleet: boolean) => {
  const { mode, felix, range, from, mask, room, why } = nodeCells(sample)
  const cells = [
    badge(sample.verdict),
    nodeNames(names, isFleet),
    ...[mode, felix, range, from, mask, room, why].map(cellText),
  ]
  return { verdict: sample.verdict, cells }
}

const nodeNames = (names: readonly string[], isFleet: boolean): Markup => {
  if (names.length <= 2) return html`<span>${names.map(oneName)}</span>`
  const ending = sharedEnding(names)
  const short = names.map((name) => name.slice(0, name.length - ending.length))
  const shown = isFleet || names.length > mostWhole ? short.join(', ') : wholeNames(short)
  const note = ending === '' ? undefined : html` <span class="where">each with ${ending}</span>`
  return html`<details class="more${names.length > aFewLines ? ' many' : ''}"><summary>${names.length} nodes</summary> <span class="name">${shown}</span>${note}</details>`
}

/** A line may end behind each of their hyphens otherwise. It takes bytes, which pages of many nodes must spare. */
const wholeNames = (names: readonly string[]): Markup[] =>
  names.map((name, at) => html`<i>${name}${at < names.length - 1 ? ',' : ''}</i> `)
const mostWhole = 1_000

/** Of so many names a row may be parted on paper. */
const aFewLines = 30

/** Not broken where there is room; what somebody made longer than any node's name is. */
const oneName = (name: string): Markup => html`<span class="name${name.length > 48 ? '' : ' whole'}">${name}</span> `

/** `.eu-central-1.compute.internal`: said once instead of a thousand times. */
const sharedEnding = ([first = '', ...others]: readonly string[]): string => {
  const ending = first.includes('.') ? first.slice(first.indexOf('.')) : ''
  return others.every((name) => name.length > ending.length && name.endsWith(ending)) ? ending : ''
}

const mostChanges = 40

const planSection = ({ strategy, changes, forecast, blockedBy }: Plan, level: number): Markup => {
  if (blockedBy.length > 0)
    return html`<section>${heading(level, 'Plan')}<p>Nothing is written while ${blockedBy.map((code) => html`<code>${code}</code> `)}stands; the finding says what to do.</p></section>`
  if (changes.length === 0) return html`<section>${heading(level, 'Plan')}<p>Nothing to do.</p></section>`
  const groups = groupChanges(changes)
  const more = groups.length - mostChanges
  return html`<section>${heading(level, html`Plan <span class="where">${strategy}</span>`)}<p>${forecastText(forecast)}</p>
<details><summary>${counted(changes.length, 'change')}</summary><ol class="changes">${groups.slice(0, mostChanges).map((group) => html`<li><code>${groupText(group)}</code></li>`)}</ol>
${more > 0 ? html`<p class="where">and ${more} more like these</p>` : undefined}</details></section>`
}
