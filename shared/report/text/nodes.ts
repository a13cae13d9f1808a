import type { Report } from '../../domain/report.ts'
import { hanging, tableOf } from './columns.ts'
import type { Row } from './columns.ts'
import { type Cell, wholeText } from './letters.ts'
import { groupNodes, nodeCells, type NodeGroup } from '../node-groups.ts'
import type { Paint } from './paint.ts'
import { counted, plain, tally, verdictWords } from '../wording.ts'

/** One screen: beyond this many different rows the rest is counted. */
const mostGroups = 16

const heads = ['VERDICT', '#', 'MODE', 'FELIX SAYS', 'RANGE', 'SET IN', 'MARK MASK', 'ROOM / PODS', 'NODES'] as const
/** What a narrow terminal leaves out, first to last. */
const optional = ['MARK MASK', 'ROOM / PODS', 'SET IN', 'FELIX SAYS', '#', 'MODE'].map((head) =>
  heads.findIndex((it) => it === head),
)

/** The nodes, those of which everything is the same in one row; below them, why a verdict is none. */
export const nodeLines = ({ nodes }: Report, brush: Paint, width?: number): string[] => {
  if (nodes.length === 0) return []
  const groups = groupNodes(nodes)
  const shown = groups.slice(0, mostGroups)
  const rest = groups.slice(mostGroups)
  const style = { head: brush.dim, optional, ...(width !== undefined && { width }) }
  const { lines, leftOut } = tableOf(heads, shown.map(rowOf(brush, width)), style)
  const note = leftOut.length === 0 ? [] : hanging(`-o csv has also: ${leftOut.join(', ')}`, '', '', width)
  return [
    ...hanging(`${counted(nodes.length, 'node')}: ${tally(nodes.map(({ verdict }) => verdict))}`, '', '  ', width).map(
      brush.bold,
    ),
    ...lines,
    ...(rest.length === 0
      ? []
      : hanging(
          `… ${counted(rest.flatMap(({ names }) => names).length, 'more node')}, each different: -o csv lists all`,
          '',
          '  ',
          width,
        )),
    ...shown.flatMap((group) => whyLines(group, width)),
    ...note.map(brush.dim),
  ]
}

/** Below that, a second name would have no room. */
const twoNames = 120

const rowOf =
  (brush: Paint, width = Infinity) =>
  ({ sample, names }: NodeGroup): Row => {
    const { mode, felix, range, from, mask, room } = nodeCells(sample)
    return {
      cells: [
        verdictWords[sample.verdict],
        `${names.length}`,
        mode,
        felix,
        range,
        from,
        mask,
        room,
        namesCell(names, width < twoNames ? 1 : 2),
      ],
      paint: { 0: (cell) => brush.verdict(sample.verdict, cell) },
    }
  }

const whyLines = ({ sample, names }: NodeGroup, width?: number): string[] => {
  const { why } = nodeCells(sample)
  return why === '' ? [] : hanging(`${wholeText(namesCell(names))}: ${why}`, '  ', '    ', width)
}

const namesCell = (names: readonly string[], most = 2): Cell =>
  names.length > most
    ? { name: plain(names[0] ?? ''), end: ` and ${names.length - 1} more` }
    : names.map(plain).join(', ')
