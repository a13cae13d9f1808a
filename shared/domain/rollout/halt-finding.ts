import { cameBack, evidenceLines, type HaltEvidence, isWellNow, restoresDefault } from './halt-evidence.ts'
import type { PodState } from '../cluster.ts'
import type { Evidence } from '../report.ts'

/** Details in the finding of a halted rollout: one or two sentences for people, and the full evidence. */
export const haltDetails = (
  evidence: HaltEvidence | undefined,
  { pods, object, field }: { pods: PodState[]; object: string; field: string },
): { text: string; evidence: Evidence[] } => {
  if (!evidence) return { text: '', evidence: [] }
  const { log = [], ...facts } = evidence
  const seen = evidenceLines(facts).join('; ')
  const last = log.at(-1)
  const back = afterwards(evidence, cameBack(evidence, pods))
  const impact = impactOf(evidence, isWellNow(evidence, pods))
  const text = [
    ...back,
    impact,
    `Seen at ${evidence.at}: ${seen}.`,
    ...(last ? [`Its log ended: ${last.replace(/\.+$/, '')}.`] : []),
  ]
    .map((sentence) => ` ${sentence}`)
    .join('')
  const values = [...evidenceLines(evidence), ...back, impact]
  return { text, evidence: values.map((value) => ({ object, field, value, at: evidence.at })) }
}

/** The effect on users now. */
export const impactOf = ({ node }: Pick<HaltEvidence, 'node'>, isWell: boolean): string =>
  isWell
    ? `For users: calico-node is Ready on ${node}; pods and network policy work there.`
    : `For users: until calico-node is Ready on ${node}, changes of network policy are not applied there, and new pods may get no network. Running pods keep their rules.`

/** Whether the node became Ready, in a sentence; none if its override was not removed. */
export const afterwards = (
  evidence: Pick<HaltEvidence, 'node' | 'wrote'>,
  back: ReturnType<typeof cameBack>,
): string[] => {
  const { node } = evidence
  const [done, undone] = restoresDefault(evidence)
    ? ['default was restored to its former value', 'default was restored to its former value']
    : ['its override was removed', 'Its override was removed']
  switch (back) {
    case 'yes':
      return [`After ${done}, ${node} is Ready again: the written value was probably the cause.`]
    case 'no':
      return [
        `${undone}, but calico-node on ${node} is still not Ready. If this does not change, look for another cause there.`,
      ]
    case undefined:
      return []
  }
}
