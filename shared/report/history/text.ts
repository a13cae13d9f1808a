import type { History, Write } from '../../domain/history/history.ts'
import { hanging } from '../text/columns.ts'
import { columnsOf } from '../text/letters.ts'
import { counted, plain, verdictWords, whereabouts } from '../wording.ts'
import {
  changeText,
  claimedText,
  findingsText,
  gapText,
  minute,
  nodesText,
  remarksOf,
  type Row,
  rowsOf,
} from './wording.ts'

type Bold = (text: string) => string

interface HistoryStyle {
  bold?: Bold
  /** Of the terminal; absent where there is none, and then nothing is wrapped. */
  width?: number | undefined
}

/** For a terminal: a line for each interval, gap and write. */
export const historyText = (history: History, { bold = String, width }: HistoryStyle = {}): string => {
  const { cluster, from, to, writes } = history
  const lines = [
    ...headLines(cluster, bold, width),
    `${minute(from)} to ${minute(to)} UTC`,
    '',
    ...rowsOf(history).flatMap((row) => hanging(rowText(row), '', '    ', width)),
    '',
    writes.length === 0 ? 'Nothing was written.' : bold('Writes'),
    ...writes.flatMap((write) => writeLines(write, width)),
    '',
    ...remarksOf(history).flatMap((remark) => hanging(remark, '', '  ', width)),
  ]
  return `${lines.join('\n')}\n`
}

const rowText = (row: Row): string => {
  if ('gap' in row) return gapText(row.gap)
  const { interval } = row
  const seen = [nodesText(interval), findingsText(interval)].filter((it) => it !== '').map((it) => `; ${it}`)
  const until = `to ${minute(interval.until)}  ${verdictWords[interval.verdict].padEnd(14)}`
  return plain(`${minute(interval.from)} ${until} ${counted(interval.looks, 'look')}${seen.join('')}`)
}

const headLines = (cluster: History['cluster'], bold: Bold, width?: number): string[] => {
  const [name, where] = [plain(cluster.name), whereabouts(cluster)]
  return columnsOf(`${name}  ${where}`) > (width ?? Infinity)
    ? [...hanging(name, '', '  ', width).map(bold), ...hanging(where, '  ', '  ', width)]
    : [`${bold(name)}  ${where}`]
}

const writeLines = (write: Write, width?: number): string[] => {
  const { at, what, object, by, why, rollout, claimed } = write
  const because = why === undefined ? '' : `, because ${why}`
  return [
    ...hanging(plain(`${at}  ${what}  ${object}  ${changeText(write)}`.trimEnd()), '', '    ', width),
    ...hanging(plain(`by ${by}${because} (rollout ${rollout})`), '    ', '    ', width),
    ...(claimed ? hanging(claimedText, '    ', '    ', width) : []),
  ]
}
