import type { NodeReport, Report, Sweep } from '../domain/report.ts'
import { clustersOf, plain } from './wording.ts'

// Kept as text so that a reader sees the columns in the order of the file.
const [clusterHeads, nodeHeads, lastHeads] = [
  'cluster,account,region,context,observedAt,clusterVerdict,serviceRange,desiredRange,calicoVersion,configuredMode',
  'node,verdict,reason,runningMode,confidence,felixIpvs,effectiveRange,rangeSource,markMask,markCapacity,podsMax,nodeFindings',
  'clusterFindings',
].map((names) => names.split(',')) as [string[], string[], string[]]
const heads = [...clusterHeads, ...nodeHeads, ...lastHeads]

/** RFC 4180: one row for each node, and one row for a cluster without any read node. */
export const csv = (document: Report | Sweep): string => csvText([heads, ...clustersOf(document).flatMap(clusterRows)])

/** Rows as a file; no cell of it is a formula. */
export const csvText = (rows: readonly Value[][]): string =>
  rows.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('')

type Value = string | number | boolean | undefined

const clusterRows = (report: Report): Value[][] => {
  const about = clusterValues(report)
  const ofNodes = codesByNode(report)
  const others = report.findings.filter(({ subject }) => !subject.startsWith('node/')).map(({ code }) => code)
  const clusterCodes = [...new Set(others)].join(' ')
  if (report.nodes.length === 0) return [[...about, ...nodeHeads.map(() => undefined), clusterCodes]]
  return report.nodes.map((node) => about.concat(nodeValues(node), ofNodes.get(node.name)?.join(' '), clusterCodes))
}

const clusterValues = (report: Report): Value[] => {
  const { cluster, observedAt, verdict, serviceRange, desiredRange, calico, kubeProxy } = report
  const { name, account, region, context } = cluster
  const range = serviceRange && `${serviceRange.min}:${serviceRange.max}`
  const should = desiredRange?.join(' ')
  return [
    name,
    account,
    region,
    context,
    observedAt,
    verdict,
    range,
    should,
    calico?.version,
    kubeProxy?.configuredMode,
  ]
}

const nodeValues = (node: NodeReport): Value[] => {
  const { name, verdict, reason, runningMode, confidence, felixIpvs, rangeSource } = node
  const range = node.effectiveRange?.join(' ')
  const marks = [node.markMask, node.markCapacity, node.podsMax]
  return [name, verdict, reason, runningMode, confidence, felixIpvs, range, rangeSource, ...marks]
}

const codesByNode = ({ findings }: Report): Map<string, string[]> => {
  const codes = new Map<string, string[]>()
  for (const { subject, code } of findings) {
    if (!subject.startsWith('node/')) continue
    const name = subject.slice('node/'.length)
    codes.set(name, [...new Set([...(codes.get(name) ?? []), code])])
  }
  return codes
}

// A spreadsheet evaluates a cell that starts with one of these; the apostrophe makes it text (OWASP, CSV injection).
const formula = /^[\s]*[=+\-@|%＝＋－＠]/

const cell = (value: Value): string => {
  if (typeof value !== 'string') return value === undefined ? '' : String(value)
  const text = plain(value)
  if (formula.test(text)) return `"'${text.replaceAll('"', '""')}"`
  // With some locales, spreadsheets separate cells at a semicolon.
  return /[",;\s]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
