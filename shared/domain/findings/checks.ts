import { counted } from '../counted.ts'
import type { ClusterFacts, NodeFacts } from '../facts/facts.ts'
import type { Evidence, Finding, FindingCode, Severity } from '../report.ts'

/** Something found on one node. The same on many nodes becomes one finding. */
export interface Trouble {
  code: FindingCode
  severity: Severity
  /** The node needs a change, by this tool or by a person: it is out of step. */
  breaks: boolean
  /** The object at fault, if it is not the node: `FelixConfiguration/default`. */
  subject?: string
  /** The cause in one sentence, without the node's name, so that equal causes have equal texts. */
  message: string
  /** Evidence for the cause. */
  evidence: Evidence[]
  /** Evidence from this node. */
  seen?: Evidence
  /** A function if it is long: it is called only for the few nodes that are shown. */
  remedy?: string | (() => string)
}

/** Checks one node. Pure: it depends on the facts only. */
export type NodeCheck = (it: NodeFacts, cluster: ClusterFacts) => Trouble[]

/** Checks the cluster as a whole. */
export type ClusterCheck = (cluster: ClusterFacts) => Finding[]

export interface NodeTrouble {
  node: string
  trouble: Trouble
}

/** Enough to see a pattern; a report about 5,000 nodes must remain readable. */
const nodesShown = 10

/** One finding per cause, however many nodes have it. */
export function grouped(all: readonly NodeTrouble[], nodesInside: number): Finding[] {
  const groups = new Map<string, NodeTrouble[]>()
  for (const it of all) {
    const { code, severity, subject, message } = it.trouble
    const key = `${code} ${severity} ${subject ?? ''} ${message}`
    const group = groups.get(key)
    if (group) group.push(it)
    else groups.set(key, [it])
  }
  return [...groups.values()].map((group) => findingOf(group, nodesInside))
}

function findingOf(group: readonly NodeTrouble[], nodesInside: number): Finding {
  const [first] = group as [NodeTrouble, ...NodeTrouble[]]
  const { code, severity, message } = first.trouble
  const shown = group.slice(0, nodesShown).map(({ trouble }) => trouble)
  const remedies = new Set(shown.flatMap(({ remedy }) => (typeof remedy === 'function' ? remedy() : (remedy ?? []))))
  const only = group.length === 1 ? `node/${first.node}` : 'cluster'
  const everywhere = group.length === nodesInside
  const seen = group
    .slice(0, nodesShown)
    .flatMap(({ node, trouble }) => trouble.seen ?? (everywhere ? [] : { object: `Node/${node}` }))
  return {
    code,
    severity,
    subject: first.trouble.subject ?? only,
    message: `${message.replace(/\.$/, '')} (${where(group, nodesInside)}).`,
    evidence: distinct([...shown.flatMap(({ evidence }) => evidence), ...seen]),
    ...(remedies.size > 0 && { remedy: [...remedies].join('\n') }),
  }
}

function where(group: readonly NodeTrouble[], nodesInside: number): string {
  const names = group.slice(0, 3).map(({ node }) => node)
  if (group.length === nodesInside && nodesInside > 1) return `on all ${nodesInside} nodes`
  const more = group.length > names.length ? ', …' : ''
  return `on ${group.length} of ${counted(nodesInside, 'node')}: ${names.join(', ')}${more}`
}

const distinct = (evidence: readonly Evidence[]): Evidence[] => [
  ...new Map(evidence.map((it) => [`${it.object} ${it.field ?? ''} ${it.value ?? ''} ${it.at ?? ''}`, it])).values(),
]

const severities: readonly Severity[] = ['critical', 'warning', 'info']

/** The most severe first, then by code and subject, so that two reports about the same state have the same text. */
export const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted(
    (a, b) =>
      severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
      compare(a.code, b.code) ||
      compare(a.subject, b.subject) ||
      compare(a.message, b.message),
  )

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
