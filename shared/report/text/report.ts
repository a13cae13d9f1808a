import type { Report, Sweep } from '../../domain/report.ts'
import { paint } from './paint.ts'
import type { Paint } from './paint.ts'
import { findingLines } from './findings.ts'
import { nodeLines } from './nodes.ts'
import { planLines } from './plan.ts'
import { sweepLines } from './sweep.ts'
import { closingLines, type CommandOn } from './closing.ts'
import { hanging, wrapped } from './columns.ts'
import { columnsOf } from './letters.ts'
import { plain, rangeText, serviceRangeText, verdictWords, whereabouts } from '../wording.ts'

export interface TextOptions {
  colour?: boolean
  /** Width of the terminal; absent where there is none, and then nothing is wrapped. */
  columns?: number
  /** What is only good to know stands in full, too. */
  verbose?: boolean
  /** Completes the command that the last line advises. */
  on?: CommandOn
}

/** For people at a terminal: the verdict first, then what is wrong and what to do, then the nodes, then the plan. */
export const text = (document: Report | Sweep, options: TextOptions = {}): string => {
  const brush = paint(options.colour ?? false)
  const lines =
    'clusters' in document ? sweepLines(document, brush, options.columns) : reportLines(document, brush, options)
  return `${lines.join('\n')}\n`
}

const reportLines = (report: Report, brush: Paint, { columns: width, verbose, on }: TextOptions): string[] => {
  const sections = [
    headLines(report, brush, width),
    ...findingLines(report, brush, { width, verbose }),
    nodeLines(report, brush, width),
  ]
  if (report.plan) sections.push(planLines(report.plan, brush, width))
  sections.push(closingLines(report, brush, { ...(width !== undefined && { width }), ...(on && { on }) }))
  return sections.filter((lines) => lines.length > 0).flatMap((lines, at) => [''].slice(at === 0 ? 1 : 0).concat(lines))
}

/** Below that, facts have no column of their own. */
const narrow = 60

const headLines = (report: Report, brush: Paint, width?: number): string[] => {
  const where = whereabouts(report.cluster)
  const verdict = brush.verdict(report.verdict, verdictWords[report.verdict].toUpperCase())
  const facts = [programs(report), nodePorts(report), `seen         ${plain(report.observedAt)}`]
  const name = plain(report.cluster.name)
  const isWide = columnsOf([verdictWords[report.verdict], name, where].join('  ')) > (width ?? Infinity)
  const place = where === '' ? [] : [brush.dim(where)]
  return [
    ...(isWide
      ? [verdict, ...[name, where].flatMap((it) => (it === '' ? [] : wrapped(it, '  ', width)))]
      : [[verdict, brush.bold(name), ...place].join('  ')]),
    ...facts
      .filter((fact) => fact !== '')
      .flatMap((fact) =>
        hanging(fact, '  ', width !== undefined && width < narrow ? '    ' : '               ', width),
      ),
  ]
}

const programs = ({ calico, kubeProxy }: Report): string => {
  const proxy = [kubeProxy?.configuredMode, kubeProxy?.addonVersion].filter((part) => part !== undefined)
  const parts = [
    kubeProxy && `kube-proxy ${proxy.length === 0 ? '(mode not known)' : plain(proxy.join(' '))}`,
    calico && calicoText(calico),
  ]
  const known = parts.filter((part) => part !== undefined)
  return known.length === 0 ? '' : `runs         ${known.join(' · ')}`
}

const calicoText = ({ install, version, api }: NonNullable<Report['calico']>): string => {
  if (install === 'none') return 'no Calico'
  const how = [`by ${install}`, api].filter((part) => part !== undefined).join(', ')
  return `Calico ${version === undefined ? '(version not known)' : plain(version)} (${how})`
}

const nodePorts = ({ serviceRange, desiredRange }: Report): string => {
  const parts = [
    serviceRange && `service range ${serviceRangeText(serviceRange)}`,
    desiredRange && `Calico should have ${rangeText(desiredRange)}`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : `node ports   ${parts.join(' · ')}`
}
