import { counted } from '../../shared/domain/counted.ts'
import { plain } from '../../shared/domain/plain.ts'
import type { ClusterIdentity } from '../../shared/domain/report.ts'
import { hanging } from '../../shared/report/text/columns.ts'
import { columnsOf, padded } from '../../shared/report/text/letters.ts'
import { pasteLines } from '../../shared/report/text/findings.ts'
import type { DoctorOptions } from '../options.ts'
import { wantsColour, widthOf } from '../streams.ts'
import type { Hop } from './hop.ts'

/** As wide as the marks and their space. */
const indent = '           '

/** A line for each hop, wrapped to the terminal; below a failed one what to paste. */
export const asText = (
  { cluster, ok, hops }: { cluster: ClusterIdentity; ok: boolean; hops: Hop[] },
  options: DoctorOptions,
  width: number | undefined = widthOf(process.stdout, options.outputFile),
): string => {
  const coloured = wantsColour(process.stdout, options)
  const paint = (code: number, text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text)
  const marks: Record<Hop['state'], string> = {
    ok: paint(32, 'ok       '),
    failed: paint(31, 'FAILED   '),
    'left out': 'left out ',
    'not tried': 'not tried',
  }
  const room = width === undefined ? undefined : width - indent.length
  const widest = Math.max(...hops.map(({ hop }) => columnsOf(plain(hop))))
  const column = room === undefined ? widest : Math.min(widest, Math.max(room - leastDetail, room >> 1))
  const lines = hops.flatMap(({ hop, state, detail, fix }) => [
    ...row(plain(hop), plain(detail), { column, room }).map(
      (line, at) => `${at === 0 ? `${marks[state]}  ` : indent}${line}`,
    ),
    ...(fix === undefined ? [] : ['to fix it:', ...pasteLines(fix, room)].map((line) => `${indent}${line}`)),
  ])
  return `${[plain(cluster.name), ...lines, ...hanging(endOf(ok, hops), '', '  ', width)].join('\n')}\n`
}

/** Columns that details need to be read with ease, where the names of hops are long. */
const leastDetail = 50

/** Details stand in one column; a name that is too long for its own has its line to itself, and so has each where there is no room. */
const row = (hop: string, detail: string, { column, room }: { column: number; room: number | undefined }): string[] => {
  const isNarrow = room !== undefined && room - column < 22
  const beside = isNarrow ? '  ' : ' '.repeat(column + 2)
  if (columnsOf(hop) <= column && !isNarrow) return hanging(detail, `${padded(hop, column)}  `, beside, room)
  return [...hanging(hop, '', '  ', room), ...hanging(detail, beside, beside, room)]
}

const endOf = (ok: boolean, hops: readonly Hop[]): string => {
  if (ok) return 'Everything that is needed works.'
  const failed = hops.filter(({ state }) => state === 'failed').map(({ hop }) => plain(hop))
  const named = failed.slice(0, 3).join(', ')
  const more = failed.length > 3 ? ` and ${failed.length - 3} more` : ''
  return `${failed.length} of ${counted(hops.length, 'hop')} failed: ${named}${more}. What to paste stands below each.`
}
