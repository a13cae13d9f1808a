import type { Verdict } from '../../domain/report.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { verdicts, verdictWords } from '../wording.ts'

// A sign beside the colour: the page says the same in greys.
const signs: Record<Verdict, string> = {
  'in-step': '✓',
  'out-of-step': '✕',
  changing: '↻',
  'not-applicable': '–',
  unknown: '?',
}

export const signOf = (verdict: Verdict): string => signs[verdict]

export const badge = (verdict: Verdict): Markup =>
  html`<span class="badge ${verdict}"><span aria-hidden="true">${signs[verdict]}</span> ${verdictWords[verdict]}</span>`

/** Width and height of a cell with its gap, in units of the picture. */
const step = 14
const cell = 12

/**
 * One cell per node (or cluster), worst first: a line of dashes per row and verdict, so ten thousand cells are a few
 * hundred bytes. Height differs by verdict as the colour does: what needs somebody stands tall.
 */
export const strip = (all: readonly Verdict[], label: string): Markup | undefined => {
  if (all.length === 0) return undefined
  const columns = Math.max(Math.min(all.length, 60), Math.ceil(Math.sqrt(all.length * 8)))
  const rows = Math.ceil(all.length / columns)
  const [width, height] = [columns * step - (step - cell), rows * step - (step - cell)]
  return html`<svg class="strip" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">${runs(
    all,
  ).map(
    ({ verdict, from, count }) =>
      html`<path class="${verdict}" d="${rowsOf(from, count, columns)}"><title>${count} ${verdictWords[verdict]}</title></path>`,
  )}</svg>`
}

const runs = (all: readonly Verdict[]): { verdict: Verdict; from: number; count: number }[] => {
  let from = 0
  return verdicts
    .map((verdict) => {
      const count = all.filter((one) => one === verdict).length
      from += count
      return { verdict, from: from - count, count }
    })
    .filter(({ count }) => count > 0)
}

const rowsOf = (from: number, count: number, columns: number): string => {
  const moves: string[] = []
  for (let at = from; at < from + count; ) {
    const column = at % columns
    const length = Math.min(columns - column, from + count - at)
    moves.push(`M${column * step} ${Math.floor(at / columns) * step + cell / 2}h${length * step - (step - cell)}`)
    at += length
  }
  return moves.join('')
}

/** The same in one line of fixed size for a table: proportions, and a single bad node among hundreds still to be seen. */
export const bar = (all: readonly Verdict[], label: string): Markup | undefined => {
  if (all.length === 0) return undefined
  const widths = runs(all).map(({ verdict, count }) => ({ verdict, width: Math.max((count / all.length) * 100, 3) }))
  const total = widths.reduce((sum, { width }) => sum + width, 0)
  let from = 0
  return html`<svg class="bar" viewBox="0 0 100 12" width="100" height="12" role="img" aria-label="${label}">${widths.map(
    ({ verdict, width }) => {
      const [start, length] = [from, (width / total) * 100]
      from += length
      return html`<path class="${verdict}" d="M${Math.round(start)} 6H${Math.round(start + length)}"/>`
    },
  )}</svg>`
}

/** What the colours of the picture mean, with their counts. */
export const legend = (all: readonly Verdict[]): Markup =>
  html`<ul class="legend">${runs(all).map(
    ({ verdict, count }) =>
      html`<li><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true"><path class="${verdict}" d="M0 6h12"/></svg> ${count} ${verdictWords[verdict]}</li>`,
  )}</ul>`

export interface Column {
  head: string
  /** `words`: short, never wrapped · `figures`: numbers and ranges, with digits of equal width · `text`: wrapped between words. */
  holds?: 'words' | 'figures' | 'text'
}

/** A table that becomes a list of cards where there is no room. Columns empty in all rows are left out. */
export const table = (caption: string, columns: readonly Column[], rows: readonly TableRow[]): Markup => {
  const used = columns.map((_, at) => rows.some(({ cells }) => cells[at]?.markup))
  const shown = <T>(all: readonly T[]): T[] => all.filter((_, at) => used[at])
  return html`<table><caption>${caption}</caption><thead><tr>${shown(columns).map(({ head }) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells, verdict }) => html`<tr${{ markup: verdict === undefined ? '' : ` data-verdict="${verdict}"` }}>${shown(rowOf(columns, cells))}</tr>\n`)}</tbody></table>`
}

/** The cells of a row; each says its column, for where there is no room for a table. */
export const rowOf = (columns: readonly Column[], cells: readonly (Markup | undefined)[]): Markup[] =>
  columns.map(
    ({ head, holds }, at) =>
      html`<td data-head="${head}"${{ markup: holds ? ` class="${holds}${isLong(cells[at]) ? ' long' : ''}"` : '' }}>${cells[at]}</td>`,
  )

/** What somebody made longer than any name or range is broken, or the table would be wider than the page. */
const isLong = (cell: Markup | undefined): boolean => (cell?.markup ?? '').replaceAll(/<[^>]*>/g, '').length > 60

export interface TableRow {
  verdict?: Verdict
  cells: (Markup | undefined)[]
}

/** A cell of text; nothing where there is none, so that the column can be left out. */
export const cellText = (text: string | number | undefined): Markup | undefined =>
  text === undefined || text === '' ? undefined : html`${text}`
