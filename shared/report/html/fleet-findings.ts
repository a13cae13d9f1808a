import type { FindingCode, Report, Severity } from '../../domain/report.ts'
import { findingTexts } from '../finding-texts.ts'
import { counted, severities } from '../wording.ts'
import { anchorOf, severityWords } from './cluster.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

interface Spread {
  code: FindingCode
  severity: Severity
  /** Of the clusters, in their order on the page. */
  places: number[]
}

/** What is wrong, over all clusters: the same finding once, with the clusters that have it. */
export const fleetFindings = (clusters: readonly Report[]): Markup | undefined => {
  const spreads = spread(clusters)
  if (spreads.length === 0) return undefined
  return html`<section><h2>What needs attention</h2><ul class="spread">${spreads.map((it) => item(it, clusters))}</ul></section>`
}

/** What is only good to know stands with its cluster. */
const spread = (clusters: readonly Report[]): Spread[] => {
  const all = new Map<string, Spread>()
  clusters.forEach(({ findings }, at) => {
    for (const { code, severity } of findings) {
      if (severity === 'info') continue
      const same = `${severity} ${code}`
      const known = all.get(same)
      if (!known) all.set(same, { code, severity, places: [at] })
      else if (known.places.at(-1) !== at) known.places.push(at)
    }
  })
  return [...all.values()].sort(
    (a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || b.places.length - a.places.length,
  )
}

const item = ({ code, severity, places }: Spread, clusters: readonly Report[]): Markup => {
  const link = (at: number): Markup => html`<a class="name" href="#${anchorOf(at)}">${clusters[at]?.cluster.name}</a> `
  const rest = places.slice(few)
  const shown = rest.slice(0, most)
  const more = rest.length - shown.length
  return html`<li class="${severity}"><b class="severity">${severityWords[severity]}</b> <a class="code ${severity}" href="#${anchorOf(places[0] ?? 0)}" data-code="${code}">${code}</a> <b>${counted(places.length, 'cluster')}</b> <span>${findingTexts[code]}</span>
<div class="where">${places.slice(0, few).map(link)}${
    rest.length === 0
      ? undefined
      : html`<details class="more"><summary>and ${rest.length} more</summary>${shown.map(link)}${more > 0 ? html`and ${more} more in the table` : undefined}</details>`
  }</div></li>`
}

const few = 5
const most = 100
