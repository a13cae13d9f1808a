import type { NodeReport } from '../domain/report.ts'
import { clipped } from './text/letters.ts'
import { compareText, plain, rangeText, verdicts } from './wording.ts'

/** Nodes that differ only in their name: 500 nodes form two or three groups. */
export interface NodeGroup {
  /** Any of them: all are equal. */
  sample: NodeReport
  /** Sorted. */
  names: string[]
}

/** Worst verdict first, within it the larger group first. */
export const groupNodes = (nodes: readonly NodeReport[]): NodeGroup[] => {
  const groups = new Map<string, NodeGroup>()
  for (const node of nodes) {
    const key = sameness(node)
    const group = groups.get(key)
    if (group) group.names.push(node.name)
    else groups.set(key, { sample: node, names: [node.name] })
  }
  for (const { names } of groups.values()) names.sort(compareText)
  return [...groups.values()].sort(
    (a, b) =>
      verdicts.indexOf(a.sample.verdict) - verdicts.indexOf(b.sample.verdict) || b.names.length - a.names.length,
  )
}

/** A reason may contain the node's name; that alone does not separate groups. */
const sameness = ({ name, reason, ...rest }: NodeReport): string =>
  JSON.stringify([reason?.replaceAll(name, ''), Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))])

/** The columns of a row about nodes, as text; an empty one is not shown where it is empty in all rows. */
export const nodeCells = (node: NodeReport) => ({
  mode: modeText(node),
  felix: node.felixIpvs === undefined ? '' : node.felixIpvs ? 'IPVS' : 'not IPVS',
  range: rangeText(node.effectiveRange),
  from: node.rangeSource === undefined ? '' : layerWords[node.rangeSource],
  // A mask has ten characters; a longer invalid value is cut.
  mask: node.markMask === undefined ? '' : clipped(plain(node.markMask), 20),
  room: roomText(node),
  why: node.reason === undefined ? '' : plain(node.reason),
})

const layerWords: Record<NonNullable<NodeReport['rangeSource']>, string> = {
  env: 'environment',
  file: 'config file',
  host: 'object node.*',
  selector: 'object with selector',
  global: 'object default',
  default: "Felix's default",
}

const modeText = ({ runningMode, confidence }: NodeReport): string => {
  if (confidence === 'none') return runningMode === 'unknown' ? '' : runningMode
  return `${runningMode} (${confidence})`
}

/**
 * The number of endpoints for which the mask has room, and the maximum number of pods: the first must not be smaller.
 */
const roomText = ({ markCapacity, podsMax }: NodeReport): string =>
  markCapacity === undefined ? '' : podsMax === undefined ? `${markCapacity}` : `${markCapacity} / ${podsMax}`
