/** A table as lines: columns as wide as their widest cell, the last one free, columns empty in all rows left out. */
export interface Row {
  cells: string[]
  /** Colours a cell after it was padded, by its column. */
  paint?: Record<number, (text: string) => string>
}

const letters = (text: string): number => Array.from(text).length

/** Cut to what there is room for, and seen to be cut. */
export const clipped = (text: string, most: number): string => {
  const all = Array.from(text)
  return all.length > most ? `${all.slice(0, most - 1).join('')}…` : text
}

export interface TableStyle {
  head?: (text: string) => string
  /** Of the terminal: what has no room is left out, and the last column is cut, so that rows stay lines. */
  width?: number
  /** Columns that may be left out where there is no room, the first of them first. */
  optional?: readonly number[]
}

/** What the last column needs to say anything. */
const leastOfLast = 16

export const columns = (heads: readonly string[], rows: readonly Row[], style: TableStyle = {}): string[] =>
  tableOf(heads, rows, style).lines

/** `leftOut`: the heads of columns that had no room. */
export const tableOf = (
  heads: readonly string[],
  rows: readonly Row[],
  { head = String, width, optional = [] }: TableStyle,
): { lines: string[]; leftOut: string[] } => {
  const widths = heads.map((name, column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, letters(cells[column] ?? '')), name.length),
  )
  const filled = heads.flatMap((_, column) => (rows.some(({ cells }) => (cells[column] ?? '') !== '') ? [column] : []))
  const used = fitting(filled, widths, width, optional)
  const last = used.at(-1) ?? 0
  const left = width === undefined ? Number.POSITIVE_INFINITY : Math.max(width - before(used, widths), 12)
  const cellText = ({ cells, paint }: Row, column: number): string => {
    const cell = column === last ? clipped(cells[column] ?? '', left) : (cells[column] ?? '')
    const fill = column === last ? '' : ' '.repeat((widths[column] ?? 0) - letters(cell))
    return (paint?.[column]?.(cell) ?? cell) + fill
  }
  const line = (row: Row): string =>
    used
      .map((column) => cellText(row, column))
      .join('  ')
      .trimEnd()
  return {
    lines: [head(line({ cells: [...heads] })), ...rows.map(line)],
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

/** Breaks at spaces; without a width, as for a pipe, a line stays whole so that grep finds it. */
export const wrapped = (text: string, indent: string, width?: number): string[] => hanging(text, indent, indent, width)

/** The same, where later lines begin elsewhere than the first. What is longer than a line is broken where the line ends. */
export const hanging = (text: string, first: string, later: string, width?: number): string[] => {
  if (width === undefined) return [first + text]
  const room = Math.max(width - letters(later), 20)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((it) => pieces(it, room))) {
    if (line !== '' && letters(line) + 1 + letters(word) > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((it, at) => (at === 0 ? first : later) + it)
}

const pieces = (word: string, room: number): string[] => {
  const all = Array.from(word)
  if (all.length <= room) return [word]
  return Array.from({ length: Math.ceil(all.length / room) }, (_, at) => all.slice(at * room, (at + 1) * room).join(''))
}
