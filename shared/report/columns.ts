/** A table as lines: columns as wide as their widest cell, the last one free, columns empty in all rows left out. */
export interface Row {
  cells: string[]
  /** Colours a cell after it was padded, by its column. */
  paint?: Record<number, (text: string) => string>
}

export const columns = (heads: readonly string[], rows: readonly Row[], head = (text: string) => text): string[] => {
  const used = heads.map((_, column) => rows.some(({ cells }) => (cells[column] ?? '') !== ''))
  const last = used.lastIndexOf(true)
  const widths = heads.map((name, column) =>
    rows.reduce((widest, { cells }) => Math.max(widest, [...(cells[column] ?? '')].length), name.length),
  )
  const line = ({ cells, paint }: Row): string =>
    cells
      .map((cell, column) => ({ cell, column }))
      .filter(({ column }) => used[column])
      .map(({ cell, column }) => {
        const fill = column === last ? '' : ' '.repeat((widths[column] ?? 0) - [...cell].length)
        return (paint?.[column]?.(cell) ?? cell) + fill
      })
      .join('  ')
      .trimEnd()
  return [head(line({ cells: [...heads] })), ...rows.map(line)]
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
