import { type Cell, clippedApart, columnsOf, padded, pieces, wholeText } from './letters.ts'

/** A table as lines: columns as wide as their widest cell, the last one free, columns empty in all rows left out. */
export interface Row {
  cells: Cell[]
  /** Colours a cell after it was padded, by its column. */
  paint?: Record<number, (text: string) => string>
}

export interface TableStyle {
  head?: (text: string) => string
  /** Of the terminal: what has no room is left out, and the last column is cut, so that rows stay lines. */
  width?: number
  /** Columns that may be left out where there is no room, the first of them first. */
  optional?: readonly number[]
  /** What the last column keeps, where others can be cut for it. */
  last?: number
}

/** What the last column needs, before other columns are left out for it, and before they are cut. */
const leastOfLast = 16
const leastWhereCut = 10

export const columns = (heads: readonly string[], rows: readonly Row[], style: TableStyle = {}): string[] =>
  tableOf(heads, rows, style).lines

/** `leftOut`: the heads of columns that had no room. */
export const tableOf = (
  heads: readonly string[],
  rows: readonly Row[],
  { head = String, width, optional = [], last: least = leastWhereCut }: TableStyle,
): { lines: string[]; leftOut: string[] } => {
  const wanted = heads.map((name, column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, columnsOf(wholeText(cells[column] ?? ''))), name.length),
  )
  const filled = heads.flatMap((_, column) => (rows.some(({ cells }) => (cells[column] ?? '') !== '') ? [column] : []))
  const used = fitting(filled, wanted, width, optional)
  const last = used.at(-1) ?? 0
  const widths = width === undefined ? wanted : narrowed(used, wanted, { width, least })
  const left = width === undefined ? Number.POSITIVE_INFINITY : width - before(used, widths)
  const all: Row[] = [{ cells: [...heads] }, ...rows]
  const fitted = heads.map((_, column) =>
    clippedApart(
      all.map(({ cells }) => cells[column] ?? ''),
      column === last ? left : (widths[column] ?? 0),
    ),
  )
  const cellText = (row: number, column: number): string => {
    const cell = fitted[column]?.[row] ?? ''
    const fill = column === last ? '' : padded('', (widths[column] ?? 0) - columnsOf(cell))
    return (all[row]?.paint?.[column]?.(cell) ?? cell) + fill
  }
  const lines = all.map((_, row) =>
    used
      .map((column) => cellText(row, column))
      .join('  ')
      .trimEnd(),
  )
  const [heading = '', ...others] = lines
  return {
    lines: [head(heading), ...others],
    leftOut: filled.filter((column) => !used.includes(column)).map((column) => heads[column] ?? ''),
  }
}

/** What stands before the last column. */
const before = (used: readonly number[], widths: readonly number[]): number =>
  used.slice(0, -1).reduce((sum, column) => sum + (widths[column] ?? 0) + 2, 0)

const fitting = (
  filled: number[],
  widths: readonly number[],
  width: number | undefined,
  optional: readonly number[],
): number[] => {
  let used = filled
  for (const column of optional) {
    const last = Math.min(widths[used.at(-1) ?? 0] ?? 0, leastOfLast)
    if (width === undefined || before(used, widths) + last <= width) break
    used = used.filter((it) => it !== column)
  }
  return used
}

/** The least width at which names and ranges can still be distinguished. */
const leastOfOthers = 8

/** What still has no room is taken from the widest column, again and again. */
const narrowed = (
  used: readonly number[],
  wanted: readonly number[],
  { width, least }: { width: number; least: number },
): number[] => {
  const widths = [...wanted]
  const others = used.slice(0, -1)
  const last = Math.min(wanted[used.at(-1) ?? 0] ?? 0, least)
  const widthAt = (column: number): number => widths[column] ?? 0
  while (before(used, widths) + last > width) {
    const widest = others.toSorted((a, b) => widthAt(b) - widthAt(a))[0]
    if (widest === undefined || widthAt(widest) <= leastOfOthers) break
    widths[widest] = widthAt(widest) - 1
  }
  return widths
}

/** Breaks at spaces; without a width, as for a pipe, a line stays whole so that grep finds it. */
export const wrapped = (text: string, indent: string, width?: number): string[] => hanging(text, indent, indent, width)

/** The same, where later lines begin elsewhere than the first. What is longer than a line is broken where the line ends. */
export const hanging = (text: string, first: string, later: string, width?: number): string[] => {
  if (width === undefined) return [first + text]
  const [ofFirst, ofLater] = [first, later].map((indent) => Math.max(width - columnsOf(indent), 20)) as [number, number]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((it) => pieces(it, Math.min(ofFirst, ofLater)))) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > (lines.length === 0 ? ofFirst : ofLater)) {
      lines.push(line.trimEnd())
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((it, at) => (at === 0 ? first : later) + it)
}
