import { objectName } from '../../domain/felix/layer.ts'
import {
  evidenceLines,
  type HaltEvidence,
  kubeletOf,
  logEvidence,
  podEvidence,
} from '../../domain/rollout/halt-evidence.ts'
import { rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { overrideName } from '../../domain/rollout/range-writes.ts'
import { seenOf } from '../../domain/rollout/seen.ts'
import type { Lost, Seen, Step } from '../../domain/rollout/step.ts'
import { valueOf } from '../../domain/read.ts'
import type { FelixObject, PodState } from '../../domain/cluster.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { needed } from '../needed.ts'
import { removeOverride } from './range-writes.ts'
import { putRollout } from './lease.ts'
import type { LeasedRollout } from './tools.ts'
import type { Outcome, StepTools } from './tools.ts'

/**
 * Nothing more is touched. Where a node is the reason, it is first looked at more closely, in a step of its own: the log
 * of a pod that fails says most before anything is taken back.
 */
export const halt = async (
  tools: StepTools,
  at: LeasedRollout & { seen: Seen },
  step: Extract<Step, { do: 'halt' }>,
): Promise<Outcome> => {
  const { reason, about, takenBack } = step
  const { objects } = at.seen
  if (about) {
    const evidence = firstEvidence(tools, step, about)
    await putRollout(tools, at, { ...at.rollout, evidence }, { objects })
    return { next: 'now' }
  }
  const seen = takenBack && { takenBack: { ...takenBack, at: tools.now().toISOString() } }
  const halted: Rollout = { ...at.rollout, state: 'halted', reason, ...seen }
  await putRollout(tools, at, halted, { objects, note: [{ what: 'halt', why: reason }], giveUp: true })
  tools.tell({ what: 'rollout halted', why: reason })
  return { next: 'over', state: 'halted', why: reason }
}

const firstEvidence = (
  { now }: StepTools,
  { reason, takeBack = [] }: Extract<Step, { do: 'halt' }>,
  { node, pod, wrote }: Lost,
): HaltEvidence => ({
  node,
  reason,
  at: now().toISOString(),
  wrote,
  ...(pod && { pod: podEvidence(pod) }),
  ...(takeBack.length > 1 && { beside: takeBack.slice(1) }),
  pending: takeBack.length > 0 ? 'take-back' : 'halt',
})

/** Reads the log and asks for the node; one that has left the cluster is no reason to halt. Then the rollout is halted. */
export const haltWithEvidence = async (
  tools: StepTools,
  at: LeasedRollout,
  { first, pods }: { first: HaltEvidence; pods: PodState[] },
): Promise<Outcome> => {
  const { pending, ...known } = first
  // Of no other pod than calico-node's is a log read, whatever pod the Lease names.
  const pod = pods.find(({ name, namespace }) => name === known.pod?.name && namespace === known.pod.namespace)
  const { evidence: _evidence, ...rollout } = at.rollout
  const [log, nodes] = await Promise.all([pod && tools.kube.podTail(pod), tools.kube.nodes()])
  const kubelet = kubeletOf(valueOf(nodes), known.node)
  if (kubelet === 'gone') {
    await putRollout(tools, at, rollout)
    return { next: 'wait', seconds: 10, why: `${known.node} has left the cluster` }
  }
  const lines = logEvidence((log && valueOf(log)) ?? [])
  const evidence: HaltEvidence = { ...known, kubelet, ...(lines.length > 0 && { log: lines }) }
  const rollback = pending === 'take-back' ? [known.node, ...(known.beside ?? [])] : undefined
  const halted: Rollout = {
    ...rollout,
    state: 'halted',
    reason: known.reason,
    evidence,
    ...(rollback !== undefined && { rollback }),
  }
  const note = [{ what: 'halt', object: `Node/${known.node}`, why: known.reason }]
  await putRollout(tools, at, halted, { note, giveUp: rollback === undefined })
  tools.tell({ what: 'rollout halted', node: known.node, why: known.reason, evidence: evidenceLines(evidence) })
  return rollback === undefined ? over(halted) : { next: 'now' }
}

/**
 * Takes our override off a node that is not well, one a step, and nothing else. The list is anybody's to write: where the
 * node is well with what its override says, taking it off would only disturb one more, and it stays.
 */
export const rollBack = async (
  tools: StepTools,
  { record, rollout }: LeasedRollout,
  pods: PodState[],
): Promise<Outcome> => {
  const { rollback: [node, ...others] = [], ...rest } = rollout
  if (node === undefined) return over(rollout)
  const seen = seenOf(needed(await tools.kube.felixConfigurations([rollout.where.api])), pods, rollout.where)
  const object = seen.objects.find(({ name }) => name === overrideName(node))
  const well = object !== undefined && isWellWith(object, node, seen)
  const removed = object === undefined || (!well && (await removeOverride(tools, rollout, object)))
  const takenBackAt = tools.now().toISOString()
  const { evidence } = rest
  const next: Rollout = {
    ...rest,
    ...(others.length > 0 && { rollback: others }),
    ...(evidence && evidence.node === node && removed && { evidence: { ...evidence, takenBackAt } }),
  }
  const { reason: why, target } = rollout
  const about = { object: objectName(overrideName(node)), ...(target && { from: target }), ...(why && { why }) }
  const note = removed ? [{ what: 'roll-back', ...about }] : []
  await putRollout(tools, { record }, next, { giveUp: others.length === 0, note })
  const left = `override left: ${well ? 'the node is well with it' : 'somebody changed it'}`
  tools.tell({ what: removed ? 'override taken back' : left, node, ...about })
  return others.length > 0 ? { next: 'now' } : over(next)
}

/** Its calico-node is Ready, and what the override says is what counts there. */
const isWellWith = ({ annotations }: FelixObject, node: string, { pods, rangeOn }: Seen): boolean => {
  const pod = pods.find((it) => it.node === node && !it.deletedAt)
  return pod !== undefined && pod.ready && rangeOn(pod) === annotations[rangeAnnotation]
}

/** Whether the node came back is seen when it has had the time to. */
const over = ({ reason = 'halted', pace, evidence }: Rollout): Outcome => ({
  next: 'over',
  state: 'halted',
  why: reason,
  ...(evidence?.takenBackAt !== undefined && { recheckAfterSeconds: pace.settleSeconds }),
})
