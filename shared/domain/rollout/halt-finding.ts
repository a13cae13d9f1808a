import { besideKept, cameBack, evidenceLines, type HaltEvidence, isWellNow, restoresDefault } from './halt-evidence.ts'
import type { ClusterState, PodState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import { listed } from '../findings/range-layers.ts'
import type { Evidence } from '../report.ts'
import { isStillOurs } from './restore-step.ts'
import type { Rollout } from './rollout.ts'

/** Details in the finding of a halted rollout: what is so now, in sentences, and the full evidence. */
export const haltDetails = (
  evidence: HaltEvidence | undefined,
  { pods, object, field }: { pods: PodState[]; object: string; field: string },
): { text: string; evidence: Evidence[] } => {
  if (!evidence) return { text: '', evidence: [] }
  const text = haltNow(evidence, pods)
    .map((sentence) => ` ${sentence}`)
    .join('')
  return { text, evidence: evidenceLines(evidence).map((value) => ({ object, field, value, at: evidence.at })) }
}

/** What is so now, a sentence each. What users notice comes first: a tired person must know whether it can wait. */
export const haltNow = (evidence: HaltEvidence, pods: PodState[]): string[] => [
  impactOf(evidence, pods),
  ...afterwards(evidence, cameBack(evidence, pods)),
]

/** The nodes on which a halt has still to undo something; undefined where only the Lease does not say yet that `default` was restored. */
export const leftToUndo = (rollout: Rollout, { felix }: Pick<ClusterState, 'felix'>): Rollout['rollback'] => {
  const { evidence, rollback } = rollout
  const objects = restoresDefault(evidence) && evidence?.takenBackAt !== undefined ? valueOf(felix)?.objects : undefined
  return objects && !isStillOurs(rollout, objects) ? undefined : rollback
}

/** The effect on users now, and whether it can wait. Where the evidence has no room for more nodes, it is about all of them. */
export const impactOf = (evidence: HaltEvidence, pods: PodState[]): string => {
  const { node, beside = [], takenBackAt } = evidence
  const others = beside.length < besideKept ? [] : pods.filter(({ role }) => role === 'calico-node')
  const nodes = new Set([node, ...beside, ...others.map((pod) => pod.node)])
  const unwell = [...nodes].filter((it) => !isWellNow({ node: it }, pods))
  if (unwell.length > 0)
    return `For users: urgent. Until calico-node is Ready on ${listed(unwell)}, changes of network policy are not applied there, and new pods may get no network. Running pods keep their rules.`
  const asBefore = takenBackAt === undefined ? '' : ', and its node ports are as before the rollout'
  return `For users: not urgent, it can wait. Calico-node is Ready on ${node}: pods and network policy work there${asBefore}.`
}

/** Whether the node became Ready, in a sentence; none if its change was not undone. */
export const afterwards = (
  evidence: Pick<HaltEvidence, 'node' | 'wrote'>,
  back: ReturnType<typeof cameBack>,
): string[] => {
  const { node } = evidence
  const how = restoresDefault(evidence)
    ? 'FelixConfiguration/default has its former value again; well nodes keep the new one by overrides'
    : 'our override was removed'
  switch (back) {
    case 'yes':
      return [`The change of ${node} was undone (${how}), and its calico-node is Ready again.`]
    case 'no':
      return [
        `The change of ${node} was undone (${how}), but its calico-node is not Ready yet. If it stays so, look for another cause as well.`,
      ]
    case undefined:
      return []
  }
}
