import type { NodeReport, Report, Sweep } from '../domain/report.ts'
import { clustersOf, plain } from './wording.ts'

const heads = [
  ...['cluster', 'account', 'region', 'context', 'observedAt', 'clusterVerdict', 'serviceRange', 'desiredRange'],
  ...['calicoVersion', 'configuredMode', 'node', 'verdict', 'reason', 'runningMode', 'confidence', 'felixIpvs'],
  ...['effectiveRange', 'rangeSource', 'markMask', 'markCapacity', 'podsMax', 'nodeFindings', 'clusterFindings'],
]

/** RFC 4180: one row per node, and one row for a cluster of which no node could be read. */
export const csv = (document: Report | Sweep): string =>
  [heads, ...clustersOf(document).flatMap(clusterRows)].map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')

type Value = string | number | boolean | undefined

const clusterRows = (report: Report): Value[][] => {
  const { cluster, serviceRange } = report
  const about = [
    ...[cluster.name, cluster.account, cluster.region, cluster.context, report.observedAt, report.verdict],
    serviceRange && `${serviceRange.min}:${serviceRange.max}`,
    ...[report.desiredRange?.join(' '), report.calico?.version, report.kubeProxy?.configuredMode],
  ]
  const ofNodes = codesByNode(report)
  const others = [
    ...new Set(report.findings.filter(({ subject }) => !subject.startsWith('node/')).map(({ code }) => code)),
  ]
  const row = (node: Value[], codes: string[]): Value[] => [...about, ...node, codes.join(' '), others.join(' ')]
  if (report.nodes.length === 0) return [row(Array.from({ length: 11 }), [])]
  return report.nodes.map((node) => row(nodeValues(node), ofNodes.get(node.name) ?? []))
}

const nodeValues = (node: NodeReport): Value[] => [
  ...[node.name, node.verdict, node.reason, node.runningMode, node.confidence, node.felixIpvs],
  ...[node.effectiveRange?.join(' '), node.rangeSource, node.markMask, node.markCapacity, node.podsMax],
]

const codesByNode = ({ findings }: Report): Map<string, string[]> => {
  const codes = new Map<string, string[]>()
  for (const { subject, code } of findings) {
    if (!subject.startsWith('node/')) continue
    const name = subject.slice('node/'.length)
    codes.set(name, [...new Set([...(codes.get(name) ?? []), code])])
  }
  return codes
}

// A spreadsheet runs what starts with one of these; the apostrophe makes it text (OWASP, CSV injection).
const formula = /^[\s]*[=+\-@|%]/

const cell = (value: Value): string => {
  if (typeof value !== 'string') return value === undefined ? '' : String(value)
  const text = plain(value)
  if (formula.test(text)) return `"'${text.replaceAll('"', '""')}"`
  return /[",\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
