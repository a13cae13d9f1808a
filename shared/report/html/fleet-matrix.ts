import type { Report, Verdict } from '../../domain/report.ts'
import { compareText, tally, verdicts } from '../wording.ts'
import { anchorOf } from './cluster.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { cellText, signOf, table } from './pieces.ts'

interface Cell {
  all: Verdict[]
  /** Where the worst of them is on the page. */
  anchor: string
}

/** Accounts by regions, each with its worst verdict and its counts; a cell leads to its worst cluster, and with a script to all of them. */
export const fleetMatrix = (clusters: readonly Report[]): Markup | undefined => {
  const cells = new Map<string, Map<string, Cell>>()
  clusters.forEach(({ cluster, verdict }, at) => {
    const { account, region } = cluster
    if (account === undefined || region === undefined) return
    const regions = cells.get(account) ?? new Map<string, Cell>()
    const cell = regions.get(region)
    // Clusters are in order, worst first.
    if (cell) cell.all.push(verdict)
    else regions.set(region, { all: [verdict], anchor: anchorOf(at) })
    cells.set(account, regions)
  })
  const regions = [...new Set([...cells.values()].flatMap((it) => [...it.keys()]))].toSorted(compareText)
  const accounts = [...cells.keys()].toSorted(compareText)
  if (accounts.length * regions.length < 2 || accounts.length > most || regions.length > most) return undefined
  const columns = [{ head: 'Account' }, ...regions.map((head) => ({ head }))]
  const rows = accounts.map((account) => ({
    cells: [
      html`<span class="name${account.length > 48 ? '' : ' whole'}">${account}</span>`,
      ...regions.map((region) => cellOf(cells.get(account)?.get(region), account, region)),
    ],
  }))
  return html`<section class="matrix"><h2>By account and region</h2>${table('The worst verdict of each, and how many there are', columns, rows)}</section>`
}

/** More than this is no picture any more; the table and its filters have it. */
const most = 60

const cellOf = (cell: Cell | undefined, account: string, region: string): Markup | undefined => {
  if (!cell) return cellText(undefined)
  const worst = verdicts.find((it) => cell.all.includes(it)) ?? 'unknown'
  return html`<a class="${worst}" href="#${cell.anchor}" data-account="${account}" data-region="${region}"><span aria-hidden="true">${signOf(worst)}</span> ${tally(cell.all)}</a>`
}
