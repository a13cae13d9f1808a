import { normalise, parsePortList, type PortRange } from '../../../domain/ports.ts'
import type { NodeReport, Report } from '../../../domain/report.ts'
import { nodeCells } from '../../node-groups.ts'
import { rangeText } from '../../wording.ts'

/** Nodes on which Felix has the same range from the same layer. */
export interface RangeGroup {
  count: number
  first: string
  effective: readonly string[]
  text: string
  /** The layer it comes from, in words. */
  from: string
  /** IPVS is active there, so that the range counts. */
  isUsed: boolean
}

/** What a report says of ranges; what cannot be read is left out, as of a document that others made. */
export const rangesOf = (texts: readonly string[]): PortRange[] =>
  normalise(
    texts.flatMap((text) => {
      const parsed = parsePortList(text)
      return parsed.ok ? parsed.ranges : []
    }),
  )

/** Those in use first, of them the larger groups. */
export const rangeGroups = (nodes: readonly NodeReport[]): RangeGroup[] => {
  const groups = new Map<string, RangeGroup>()
  for (const node of nodes) {
    const { name, effectiveRange, rangeSource, runningMode } = node
    if (!effectiveRange) continue
    const same = JSON.stringify([effectiveRange, rangeSource, runningMode === 'ipvs'])
    const group = groups.get(same)
    if (group) group.count += 1
    else groups.set(same, { ...groupOf(node, effectiveRange), count: 1, first: name, isUsed: runningMode === 'ipvs' })
  }
  return [...groups.values()].sort((a, b) => Number(b.isUsed) - Number(a.isUsed) || b.count - a.count)
}

const groupOf = (node: NodeReport, range: string[]) => ({
  effective: range,
  text: rangeText(range, 6),
  from: nodeCells(node).from || 'an unknown layer',
})

const mostStrays = 20

/** From the evidence of the finding: at most twenty are kept there. */
export const straysIn = ({ findings }: Pick<Report, 'findings'>): PortRange[] =>
  rangesOf(
    findings
      .filter(({ code }) => code === 'STRAY_NODE_PORT')
      .flatMap(({ evidence }) =>
        evidence.flatMap(({ value }) => (value !== undefined && /^\d{1,5}$/.test(value) ? [value] : [])),
      )
      .slice(0, mostStrays),
  ).flatMap(({ min, max }) => Array.from({ length: max - min + 1 }, (_, at) => ({ min: min + at, max: min + at })))
