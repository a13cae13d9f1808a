import type { Report, Sweep } from '../../domain/report.ts'
import { clusterDetails, clusterSection, lead } from './cluster.ts'
import { fleetSection } from './fleet.ts'
import { badge } from './pieces.ts'
import { footer } from './footer.ts'
import { page } from './page.ts'
import { html as markup, type Markup } from './markup.ts'
import { counted, verdictWords, whereabouts, worstFirst, worstVerdict } from '../wording.ts'

/** One self-contained page: nothing loaded, readable in light and dark, on a phone and on a wall. */
export const html = (document: Report | Sweep): string =>
  'clusters' in document ? sweepPage(document) : reportPage(document)

const reportPage = (report: Report): string => {
  const { cluster, verdict } = report
  return page(`${cluster.name}: ${verdictWords[verdict]}`, {
    head: [cluster.name, whereabouts(cluster), report.observedAt],
    body: [
      markup`<header><p class="tool">calico-ipvs-sync</p>
<h1>${cluster.name} ${badge(verdict)}</h1>
<p class="where">${whereabouts(cluster)}</p>${lead(report)}</header>
<main>${clusterSection(report)}</main>
${footer([report])}`,
    ],
  })
}

const sweepPage = ({ sweptAt, clusters }: Sweep): string => {
  const ordered = worstFirst(clusters)
  return fleetPage({ sweptAt, clusters: ordered }, ordered.map(clusterDetails))
}

/** `clusters`: in their order, and no more of them than the table needs; `details`: of each, from `clusterDetails`. */
export const fleetPage = (sweep: Omit<Sweep, 'schemaVersion'>, details: readonly Markup[]): string => {
  const title = fleetTitle(sweep)
  return page(title, {
    head: [title, sweep.sweptAt],
    body: [
      markup`<header><p class="tool">calico-ipvs-sync</p>
<h1>${title}</h1>
<p class="where">Swept <time datetime="${sweep.sweptAt}">${sweep.sweptAt}</time></p></header>
<main>${fleetSection(sweep.clusters, details)}</main>
${footer(sweep.clusters)}`,
    ],
  })
}

/** The headline counts the worst only; the legend beneath counts all. */
const fleetTitle = (sweep: Omit<Sweep, 'schemaVersion'>): string => {
  const total = sweep.clusters.length
  if (total === 0) return 'No clusters'
  const worst = worstVerdict(sweep)
  const count = sweep.clusters.filter(({ verdict }) => verdict === worst).length
  return `${count === total ? '' : `${count} of `}${counted(total, 'cluster')} ${verdictWords[worst]}`
}
