import type { Report } from '../../domain/report.ts'
import { clipped, columns } from './columns.ts'
import type { Row } from './columns.ts'
import { groupNodes, nodeCells } from '../node-groups.ts'
import type { Paint } from './paint.ts'
import { counted, plain, tally, verdictWords } from '../wording.ts'

/** One screen: beyond this many different rows the rest is counted. */
const mostGroups = 16

/** The nodes, those of which everything is the same in one row. */
export const nodeLines = ({ nodes }: Report, brush: Paint, width?: number): string[] => {
  if (nodes.length === 0) return []
  const groups = groupNodes(nodes)
  const rows = groups.slice(0, mostGroups).map(({ sample, names }): Row => {
    const { mode, felix, range, from, mask, room, why } = nodeCells(sample)
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
        clipped(why, 80),
        namesText(names),
      ],
      paint: { 0: (cell) => brush.verdict(sample.verdict, cell) },
    }
  })
  const rest = groups.slice(mostGroups)
  const heads = ['VERDICT', '#', 'MODE', 'FELIX SAYS', 'RANGE', 'SET IN', 'MARK MASK', 'ROOM / PODS', 'WHY', 'NODES']
  return [
    brush.bold(`${counted(nodes.length, 'node')}: ${tally(nodes.map(({ verdict }) => verdict))}`),
    ...columns(heads, rows, { head: brush.dim, ...(width !== undefined && { width }) }),
    ...(rest.length === 0
      ? []
      : [`… ${counted(rest.flatMap(({ names }) => names).length, 'more node')}, each different: -o csv lists all`]),
  ]
}

const namesText = (names: readonly string[]): string => {
  const shown = names
    .slice(0, names.length > 2 ? 1 : 2)
    .map(plain)
    .join(', ')
  return names.length > 2 ? `${shown} and ${names.length - 1} more` : shown
}
