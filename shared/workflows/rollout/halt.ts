import { objectName } from '../../domain/felix/layer.ts'
import {
  evidenceLines,
  type HaltEvidence,
  kubeletOf,
  logEvidence,
  podEvidence,
  restoresDefault,
} from '../../domain/rollout/halt-evidence.ts'
import { rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { changeMark } from '../../domain/rollout/marks.ts'
import { overrideName } from '../../domain/rollout/range-writes.ts'
import { forgotten } from '../../domain/rollout/memory.ts'
import { restoreStep } from '../../domain/rollout/restore-step.ts'
import { seenOf } from '../../domain/rollout/seen.ts'
import type { Lost, Seen, Step } from '../../domain/rollout/step.ts'
import { valueOf } from '../../domain/read.ts'
import type { FelixObject, PodState } from '../../domain/cluster.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { needed } from '../needed.ts'
import { removeOverride, writeFormer, writeOverride } from './range-writes.ts'
import { afterNote, isHeld, type Noted } from './note.ts'
import { entriesOf, isOverdue, putRollout, renew } from './lease.ts'
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
  { reason, takeBack = [], restore = false }: Extract<Step, { do: 'halt' }>,
  { node, pod, wrote }: Lost,
): HaltEvidence => ({
  node,
  reason,
  at: now().toISOString(),
  wrote,
  ...(pod && { pod: podEvidence(pod) }),
  ...(takeBack.length > 1 && { beside: takeBack.slice(1) }),
  pending: restore ? 'restore' : takeBack.length > 0 ? 'take-back' : 'halt',
})

/** Reads the log and asks for the node; one that has left the cluster is no reason to halt. Then the rollout is halted. */
export const haltWithEvidence = async (
  tools: StepTools,
  at: LeasedRollout,
  { first, pods }: { first: HaltEvidence; pods: PodState[] },
): Promise<Outcome> => {
  const { pending, ...known } = first
  // Only logs of calico-node are read, whatever pod the Lease names.
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
  const rollback = pending === 'halt' ? undefined : [known.node, ...(known.beside ?? [])]
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
  if (rollout.evidence && restoresDefault(rollout.evidence))
    return restoreDefault({ ...tools, kube: tools.rescue ?? tools.kube }, { record, rollout }, seen)
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

/**
 * One write a step (`restoreStep`). Cut short after any of them, the next step sees what is there and goes on. That
 * `default` is about to be written stands in the Lease first: its marks of the rollout go with the write.
 */
const restoreDefault = async (
  tools: StepTools,
  { record: read, rollout }: LeasedRollout,
  seen: Seen,
): Promise<Outcome> => {
  const record = isOverdue(read, tools) ? await renew(tools, read) : read
  const step = restoreStep({ rollout, now: tools.now().getTime() }, seen)
  const { objects } = seen
  const { evidence, target: from, rollback: _rollback, ...rest } = rollout
  switch (step?.do) {
    case 'override': {
      const { node } = step
      await writeOverride(tools, { ...rollout, why: keeps }, { node, objects, from })
      tools.tell({ what: 'override written', node, object: objectName(overrideName(node)), from, to: from, why: keeps })
      return { next: 'now' }
    }
    case 'restore': {
      const { object, former: to } = step
      const note = {
        what: 'put-back',
        object: objectName('default'),
        ...(from !== undefined && { from }),
        ...(to && { to }),
        why: illBy,
      }
      // Cut short before the write, it is noted already.
      const last = rollout.journal?.entries.findLast((it) => it.rollout === rollout.id && it.object === note.object)
      const before = last?.what === note.what ? last : undefined
      const entries = before ? [before] : entriesOf(tools, rollout, [note])
      const next = {
        ...rollout,
        ...(evidence && { evidence: { ...evidence, takenBackAt: tools.now().toISOString() } }),
        written: forgotten(rollout.written, 'default'),
      }
      const now = await putRollout(tools, { record }, next, { objects, entries: before ? [] : entries })
      const keys: Noted['keys'] = ['written', 'journal', 'evidence']
      const write = () => writeFormer(tools, rollout, { object, former: to })
      // A refusal says that somebody changed it in that moment: then the note is needed.
      await afterNote(tools, { before: record, now, keys }, write, isHeld)
      await tools.record?.(entries)
      tools.tell({ ...note, what: 'former value put back' })
      return { next: 'now' }
    }
    case undefined: {
      const isBack = evidence?.takenBackAt !== undefined && !isStillOurs(rollout, seen)
      const { takenBackAt: _takenBackAt, ...asSeen } = evidence ?? {}
      const known = isBack ? evidence : evidence && (asSeen as HaltEvidence)
      const next = { ...rest, ...(known && { evidence: known }), ...(from !== undefined && { target: from }) }
      const why = evidence?.takenBackAt === undefined ? 'its former value would help no node' : changedMeanwhile
      const left = { what: 'left', object: objectName('default'), why }
      await putRollout(tools, { record }, next, { objects, giveUp: true, note: isBack ? [] : [left] })
      if (!isBack) tools.tell({ ...left, what: 'default left' })
      return over(next)
    }
  }
}

const keeps = 'the node is well with it, and default gets its former value back'

/** That it was about to be written stands in the Lease before; our marks go with the write itself. */
const isStillOurs = ({ id }: Rollout, { objects }: Seen): boolean => {
  const base = objects.find(({ name }) => name === 'default')
  return base !== undefined && changeMark(base)?.rollout === id
}

const changedMeanwhile = 'somebody changed it in that moment'

const illBy = 'the nodes that took the range from default are not well'

/** calico-node on the node is Ready, and the node has the value of its override. */
const isWellWith = ({ annotations }: FelixObject, node: string, { pods, rangeOn }: Seen): boolean => {
  const pod = pods.find((it) => it.node === node && !it.deletedAt)
  return pod !== undefined && pod.ready && rangeOn(pod) === annotations[rangeAnnotation]
}

/** Whether the node came back is checked after it has had time for that. */
const over = ({ reason = 'halted', pace, evidence }: Rollout): Outcome => ({
  next: 'over',
  state: 'halted',
  why: reason,
  ...(evidence?.takenBackAt !== undefined && { recheckAfterSeconds: pace.settleSeconds }),
})
