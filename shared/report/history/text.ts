import type { History, Write } from '../../domain/history/history.ts'
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

/** For a terminal: a line for each interval, gap and write. */
export const historyText = (history: History, bold: Bold = (text) => text): string => {
  const { cluster, from, to, writes } = history
  const lines = [
    `${bold(plain(cluster.name))}  ${whereabouts(cluster)}`,
    `${minute(from)} to ${minute(to)} UTC`,
    '',
    ...rowsOf(history).map(rowText),
    '',
    writes.length === 0 ? 'Nothing was written.' : bold('Writes'),
    ...writes.flatMap(writeLines),
    '',
    ...remarksOf(history),
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

const writeLines = (write: Write): string[] => {
  const { at, what, object, by, why, rollout, claimed } = write
  const because = why === undefined ? '' : `, because ${why}`
  return [
    plain(`${at}  ${what}  ${object}  ${changeText(write)}`.trimEnd()),
    plain(`    by ${by}${because} (rollout ${rollout})`),
    ...(claimed ? [`    ${claimedText}`] : []),
  ]
}
