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
  /** Of the terminal: the last column is cut so that rows stay lines. */
  width?: number
}

export const columns = (heads: readonly string[], rows: readonly Row[], style: TableStyle = {}): string[] => {
  const used = heads.flatMap((_, column) => (rows.some(({ cells }) => (cells[column] ?? '') !== '') ? [column] : []))
  const widths = heads.map((name, column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, letters(cells[column] ?? '')), name.length),
  )
  const last = used.at(-1) ?? 0
  const before = used.slice(0, -1).reduce((sum, column) => sum + (widths[column] ?? 0) + 2, 0)
  const left = style.width === undefined ? Number.POSITIVE_INFINITY : Math.max(style.width - before, 12)
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
  return [(style.head ?? String)(line({ cells: [...heads] })), ...rows.map(line)]
}

/** Breaks at spaces; without a width, as for a pipe, a line stays whole so that grep finds it. */
export const wrapped = (text: string, indent: string, width?: number): string[] => {
  if (width === undefined) return [indent + text]
  const room = Math.max(width - indent.length, 30)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(indent + line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}
