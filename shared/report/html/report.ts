import type { Report, Sweep } from '../../domain/report.ts'
import { clusterDetails, clusterSection } from './cluster.ts'
import { fleetSection } from './fleet.ts'
import { badge } from './pieces.ts'
import { style, styleHash } from './style.ts'
import { html as markup } from './markup.ts'
import type { Markup } from './markup.ts'
import { counted, verdictWords, whereabouts, worstFirst, worstVerdict } from '../wording.ts'

/** One self-contained page: no scripts, nothing loaded, readable in light and dark, on a phone and on a wall. */
export const html = (document: Report | Sweep): string =>
  'clusters' in document ? sweepPage(document) : reportPage(document)

const reportPage = (report: Report): string => {
  const { cluster, verdict } = report
  return page(`${cluster.name}: ${verdictWords[verdict]}`, [
    markup`<header><p class="tool">calico-ipvs-sync</p>
<h1>${cluster.name} ${badge(verdict)}</h1>
<p class="where">${whereabouts(cluster)}</p></header>
<main>${clusterSection(report)}</main>`,
  ])
}

const sweepPage = (sweep: Sweep): string => {
  const clusters = worstFirst(sweep.clusters)
  const title = fleetTitle(sweep)
  return page(title, [
    markup`<header><p class="tool">calico-ipvs-sync</p>
<h1>${title}</h1>
<p class="where">Swept <time datetime="${sweep.sweptAt}">${sweep.sweptAt}</time></p></header>
<main>${fleetSection(clusters)}
<section><h2>Clusters</h2>${clusters.map(clusterDetails)}</section></main>`,
  ])
}

/** The headline counts the worst only; the legend beneath counts all. */
const fleetTitle = (sweep: Sweep): string => {
  const total = sweep.clusters.length
  if (total === 0) return 'No clusters'
  const worst = worstVerdict(sweep)
  const count = sweep.clusters.filter(({ verdict }) => verdict === worst).length
  return `${count === total ? '' : `${count} of `}${counted(total, 'cluster')} ${verdictWords[worst]}`
}

// Nothing may be loaded or run, and only this very style sheet applies: text that slipped through could do nothing.
const policy = `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'`

const page = (title: string, body: readonly Markup[]): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ markup: policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
${body}
</body>
</html>
`.markup
