import { type Finding, findingCodes, type Report, type Sweep } from '../../domain/report.ts'
import { columns, hanging } from './columns.ts'
import { type Cell, clippedAtWord } from './letters.ts'
import type { Row } from './columns.ts'
import { groupFindings } from '../finding-groups.ts'
import type { Paint } from './paint.ts'
import { counted, isUnread, plain, tally, verdictWords, whereabouts, worstFirst } from '../wording.ts'

/** One line per cluster, worst first, with the finding that matters most. The counts stand first and, to stay on the screen, last. */
export const sweepLines = ({ clusters, sweptAt }: Sweep, brush: Paint, width?: number): string[] => {
  if (clusters.length === 0) return [brush.bold('No clusters')]
  const rows = worstFirst(clusters).map(
    (report): Row => ({
      cells: [
        verdictWords[report.verdict],
        plain(report.cluster.name),
        whereabouts(report.cluster),
        isUnread(report) ? '' : `${report.nodes.length}`,
        report.kubeProxy?.configuredMode ?? '',
        plain(report.calico?.version ?? ''),
        findingsCell(report, width),
      ],
      paint: { 0: (cell) => brush.verdict(report.verdict, cell) },
    }),
  )
  const counts = hanging(countsText(clusters), '', '  ', width).map(brush.bold)
  const heads = ['VERDICT', 'CLUSTER', 'WHERE', 'NODES', 'MODE', 'CALICO', 'FINDINGS']
  return [
    ...counts,
    ...columns(heads, rows, {
      head: brush.dim,
      optional: [5, 4, 3, 2],
      last: isWide(width) ? 2 * longestCode : longestCode,
      ...(width !== undefined && { width }),
    }),
    ...whyLines(worstFirst(clusters), brush, width),
    '',
    ...hanging(
      `swept ${plain(sweptAt)}; check on one cluster shows the evidence, -o html a page of the fleet`,
      '',
      '  ',
      width,
    ).map(brush.dim),
    ...assumedLines(clusters, width),
    ...counts,
  ]
}

const assumedLines = (clusters: readonly Report[], width?: number): string[] => {
  const many = clusters.filter(({ findings }) => findings.some(({ code }) => code === assumed)).length
  if (many === 0) return []
  const text = `The API server's range was not read for ${counted(many, 'cluster')}, so it is assumed to be the usual one: --probe reads it.`
  return hanging(text, '', '  ', width)
}

const countsText = (clusters: readonly Report[]): string =>
  `${counted(clusters.length, 'cluster')}: ${tally(clusters.map(({ verdict }) => verdict))}`

const needsSomebody = ({ severity }: Finding): boolean => severity !== 'info'

/** Also that the range is only assumed: a verdict that rests on it is not one that was proven. */
const findingsCell = ({ findings }: Report, width: number | undefined): Cell => {
  const codes = [...new Set(groupFindings(findings.filter(isWorthARow)).map(({ finding }) => plain(finding.code)))]
  const [first = '', ...others] = codes
  return isWide(width) || others.length === 0 ? codes.join(' ') : { name: first, end: ` +${others.length}` }
}
/** Below that, the worst finding stands whole and the others are counted. */
const isWide = (width = Infinity): boolean => width >= 100
/** With the count of the others. */
const longestCode = Math.max(...findingCodes.map((code) => code.length)) + ' +9'.length
const isWorthARow = (finding: Finding): boolean => needsSomebody(finding) || finding.code === assumed
const assumed = 'RANGE_ASSUMED'

const mostWhys = 10

/** The first message of each cluster that is not in step: a fleet's list of what to do today. */
const whyLines = (clusters: readonly Report[], brush: Paint, width?: number): string[] => {
  const whys = clusters
    .filter(({ verdict }) => verdict !== 'in-step' && verdict !== 'not-applicable')
    .map((report) => ({ report, first: groupFindings(report.findings.filter(needsSomebody))[0]?.finding }))
    .filter(({ first }) => first !== undefined)
  const shown = whys.slice(0, mostWhys)
  const lines = shown
    .map(({ report, first }) => `${plain(report.cluster.name)}: ${plain(first?.message ?? '')}`)
    .flatMap((line) => (width === undefined ? line : hanging(clippedAtWord(line, 5 * width), '', '  ', width)))
  if (lines.length === 0) return []
  const more = whys.length - shown.length
  return ['', ...lines, ...(more > 0 ? [brush.dim(`… and ${counted(more, 'more cluster')}`)] : [])]
}
