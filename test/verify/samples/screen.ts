/** What a terminal shows of a program's output: text and its colours, line by line. */
export interface Run {
  text: string
  /** SGR numbers in force: `1`, `31`. */
  style: string[]
}

/** Carriage returns, erased lines and colours; a line longer than the screen goes on in the next one. */
export const screenOf = (output: string, columns: number): Run[][] => {
  const lines: Run[][] = []
  let cells: { letter: string; style: string[] }[] = []
  let [at, style] = [0, [] as string[]]
  const end = (): void => {
    lines.push(runsOf(cells))
    ;[cells, at] = [[], 0]
  }
  // oxlint-disable-next-line no-control-regex
  for (const [token] of output.matchAll(/\u001b\[[0-9;?]*[A-Za-z]|\r|\n|[^]/gu)) {
    if (token === '\n') end()
    else if (token === '\r') at = 0
    else if (token.startsWith('\u001b')) {
      if (token.endsWith('m')) style = styled(style, token.slice(2, -1))
      else if (token.endsWith('K')) cells = token === '\u001b[2K' ? [] : cells.slice(0, at)
    } else if (token >= ' ') {
      if (at >= columns) end()
      cells[at] = { letter: token, style }
      at += 1
    }
  }
  if (cells.length > 0) end()
  return lines
}

const styled = (style: string[], codes: string): string[] => {
  const given = codes === '' ? ['0'] : codes.split(';')
  return given.reduce<string[]>((all, code) => (code === '0' ? [] : [...all, code]), style)
}

const runsOf = (cells: ({ letter: string; style: string[] } | undefined)[]): Run[] => {
  const runs: Run[] = []
  for (const cell of Array.from(cells, (it) => it ?? { letter: ' ', style: [] })) {
    const last = runs.at(-1)
    if (last && last.style.join() === cell.style.join()) last.text += cell.letter
    else runs.push({ text: cell.letter, style: cell.style })
  }
  return runs
}

const colours: Record<string, string> = {
  '31': '#ff746c',
  '32': '#45c082',
  '33': '#e3aa35',
  '35': '#b994ff',
  '36': '#5cc7d6',
}
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (it) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[it] ?? it)

/** A picture of the screen: the last `rows` lines where there are more. */
export const svgOf = (
  lines: Run[][],
  { columns, rows, title }: { columns: number; rows?: number; title: string },
): string => {
  const shown = rows === undefined ? lines : lines.slice(-rows)
  const [letter, line] = [7.83, 18]
  const width = Math.ceil(columns * letter + 24)
  const height = Math.max(shown.length, rows ?? 0) * line + 24
  const text = shown.map(
    (runs, at) =>
      `<text x="12" y="${26 + at * line}" xml:space="preserve">${runs.map(({ text, style }) => `<tspan${attributesOf(style)}>${escaped(text)}</tspan>`).join('')}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" fill="#d7dee6"><title>${escaped(title)}</title><rect width="100%" height="100%" rx="6" fill="#11161c"/>${text.join('\n')}</svg>\n`
}

const attributesOf = (style: string[]): string =>
  style
    .map((code): string => (code === '1' ? ' font-weight="700"' : code === '2' ? ' fill="#8a95a1"' : ''))
    .concat(style.flatMap((code) => (colours[code] === undefined ? [] : [` fill="${colours[code]}"`])).slice(-1))
    .join('')
