import { objectName } from '../../domain/felix/layer.ts'
import {
  besideKept,
  evidenceLines,
  type HaltEvidence,
  kubeletOf,
  logEvidence,
  lostNodes,
  podEvidence,
  restoresDefault,
} from '../../domain/rollout/halt-evidence.ts'
import { overrideKey, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import { overriddenNode, overrideName, overrideOn } from '../../domain/rollout/range-writes.ts'
import { allOff, confirmed, forgotten, restored, thoseThere } from '../../domain/rollout/memory.ts'
import { isFlapping, thoseFlapping } from '../../domain/rollout/flapping.ts'
import { presentPods, type RolloutNow } from '../../domain/rollout/places.ts'
import { isStillOurs, restoreStep } from '../../domain/rollout/restore-step.ts'
import { stepInput } from '../../domain/rollout/step-input.ts'
import type { Lost, StepInput, Step } from '../../domain/rollout/step.ts'
import { valueOf } from '../../domain/read.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import type { FelixObject, PodState } from '../../domain/cluster.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'
import { removeOverride, writeFormer, writeOverride } from './range-writes.ts'
import { isWithheld } from './note.ts'
import { putRollout } from './lease.ts'
import { type At, needTimeToWrite, notedOnce, putWritten, remembered } from './remembered.ts'
import type { LeasedRollout, Outcome, StepTools } from './tools.ts'

/**
 * Halts the rollout. If a node is the reason, a separate step first reads its log, which is most useful before the
 * override is removed.
 */
export const halt = async (tools: StepTools, at: At, step: Extract<Step, { do: 'halt' }>): Promise<Outcome> => {
  const { reason, about, reverted } = step
  const { objects, pods } = at.seen
  if (about) {
    const unwell = thoseFlapping(at.rollout, pods)
    const evidence = firstEvidence(tools, step, about)
    // What we removed ourselves may be written once more, to restore `default`.
    const written = step.restore && { written: thoseThere(at.rollout.written, objects) }
    await putRollout(tools, at, { ...at.rollout, unwell, evidence, ...written }, { objects })
    return { next: 'now' }
  }
  const seen = reverted && { reverted: { ...reverted, at: tools.now().toISOString() } }
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

/**
 * Reads the log and the Node, then halts the rollout. A node that has left the cluster is no reason to halt, nor is a pod
 * that the list before lacked.
 */
export const haltWithEvidence = async (
  tools: StepTools,
  at: LeasedRollout,
  { first, pods }: { first: HaltEvidence; pods: PodState[] },
): Promise<Outcome> => {
  const { pending, ...known } = first
  // Only logs of calico-node are read, because the Lease may name any pod.
  const pod = pods.find(({ name, namespace }) => name === known.pod?.name && namespace === known.pod.namespace)
  const { evidence: _evidence, ...rollout } = at.rollout
  if (!known.pod && pods.some((it) => wasThere(it, known))) {
    await putRollout(tools, at, rollout)
    return { next: 'wait', seconds: 10, why: `the pod on ${known.node} was not listed, and is there` }
  }
  const [log, nodes] = await Promise.all([pod && tools.kube.podTail(pod), tools.kube.nodes()])
  const kubelet = kubeletOf(valueOf(agreeing(nodes, pods)), known.node)
  if (kubelet === 'gone') {
    await putRollout(tools, at, rollout)
    return { next: 'wait', seconds: 10, why: `${known.node} has left the cluster` }
  }
  const lines = logEvidence((log && valueOf(log)) ?? [])
  const evidence: HaltEvidence = { ...known, kubelet, ...(lines.length > 0 && { log: lines }) }
  const rollback = pending === 'halt' ? undefined : lostNodes(known)
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

const wasThere = ({ node, ready, deletedAt, createdAt }: PodState, lost: HaltEvidence): boolean =>
  node === lost.node && ready && !deletedAt && milliseconds(createdAt) < milliseconds(lost.at)

/**
 * Removes our override from a node that is not well, one for each step. The list may be forged: if the node is well
 * with the value of its override, its removal would only disturb another node, so it is kept.
 */
export const rollBack = async (
  tools: StepTools,
  { record, rollout }: LeasedRollout,
  pods: PodState[],
): Promise<Outcome> => {
  const { rollback: [node, ...listed] = [], ...rest } = rollout
  if (node === undefined) return over(rollout)
  const seen = stepInput(needed(await tools.kube.felixConfigurations([rollout.where.api])), pods, rollout.where)
  if (restoresDefault(rollout.evidence))
    return restoreDefault({ ...tools, kube: tools.rescue ?? tools.kube }, { record, rollout, seen })
  const object = overrideOn(seen.objects, node)
  const current = { rollout, now: tools.now().getTime() }
  const well = object !== undefined && isWellWith(object, node, { current, seen })
  const removed = object === undefined || (!well && (await removeOverride(tools, rollout, object)))
  // Felix reads what finalizers keep: the next step takes our value off it.
  if (removed && object?.finalizers && object.deletedAt === undefined && object.annotations[overrideKey] === 'created')
    return { next: 'now' }
  const takenBackAt = tools.now().toISOString()
  const { evidence } = rest
  const isCut = listed.length === 0 && evidence?.beside?.length === besideKept
  const others = isCut ? unwellBeside(node, seen) : listed
  const next: Rollout = {
    ...rest,
    ...(others.length > 0 && { rollback: others }),
    ...(evidence && evidence.node === node && removed && { evidence: { ...evidence, takenBackAt } }),
    // Whoever resumes it wants it to be written there again.
    ...(removed && { written: forgottenOf(rollout, overrideName(node), object) }),
  }
  const { reason: why, target } = rollout
  const about = { object: objectName(overrideName(node)), ...(target && { from: target }), ...(why && { why }) }
  const note = removed ? [{ what: 'roll-back', ...about }] : []
  await putRollout(tools, { record }, next, { giveUp: others.length === 0, note })
  const left = `override left: ${well ? 'the node is well with it' : 'somebody changed it'}`
  tools.tell({ what: removed ? 'override taken back' : left, node, ...about })
  return others.length > 0 ? { next: 'now' } : over(next)
}

/** Whoever ends the rollout hears of what finalizers keep. */
const forgottenOf = ({ written }: Rollout, name: string, object: FelixObject | undefined): string[] => {
  const others = forgotten(written, name)
  return object?.deletedAt === undefined ? others : confirmed(others, allOff(name))
}

/**
 * One write for each step (`restoreStep`). After an interruption, the next step continues from the current state. Each
 * write is noted in the Lease first: that of `default` removes the marks of the rollout, and of an override that somebody
 * deletes nothing else is left.
 */
const restoreDefault = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { record, rollout, seen } = at
  const step = restoreStep({ rollout, now: tools.now().getTime() }, seen)
  const { objects } = seen
  const { evidence, target: from, rollback: _rollback, ...rest } = rollout
  switch (step?.do) {
    case 'override': {
      const { node } = step
      needTimeToWrite()
      await remembered(tools, at, {
        name: overrideName(node),
        what: 'override',
        from,
        to: from,
        why: keeps,
        write: (noting) => writeOverride(noting, { ...rollout, why: keeps }, { node, objects, from }),
      })
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
      const next = {
        ...rollout,
        ...(evidence && { evidence: { ...evidence, takenBackAt: tools.now().toISOString() } }),
        written: forgotten(rollout.written, 'default'),
      }
      const write = () => writeFormer(tools, rollout, { object, former: to })
      // A refusal says that somebody changed it at the same time: then the note is needed.
      const noted = await notedOnce(tools, at, { note, next, write, isVain: isWithheld })
      tools.tell({ ...note, what: 'former value restored' })
      await putWritten(tools, noted, restored(next.written))
      return { next: 'now' }
    }
    case undefined: {
      const isBack = evidence?.takenBackAt !== undefined && !isStillOurs(rollout, objects)
      const { takenBackAt: _takenBackAt, ...asSeen } = evidence ?? {}
      const known = isBack ? evidence : evidence && (asSeen as HaltEvidence)
      const next = {
        ...rest,
        ...(known && { evidence: known }),
        ...(from !== undefined && { target: from }),
        // Whoever resumes it wants it to be written there again.
        ...(evidence?.takenBackAt !== undefined && { written: forgotten(rollout.written, 'default') }),
      }
      const why = evidence?.takenBackAt !== undefined ? changedMeanwhile : whyLeft(rollout, seen)
      const left = { what: 'left', object: objectName('default'), why }
      await putRollout(tools, { record }, next, { objects, giveUp: true, note: isBack ? [] : [left] })
      if (!isBack) tools.tell({ ...left, what: 'default left' })
      return over(next)
    }
  }
}

/** Of the nodes that were not well the evidence has no room for more: the others are seen in the cluster. */
const unwellBeside = (done: string, { objects, pods }: StepInput): string[] => {
  const ours = new Set(objects.filter(isOurs).map(overriddenNode))
  const unwell = presentPods(pods).filter(({ node, ready }) => node !== done && !ready && ours.has(node))
  return unwell.map(({ node }) => node).slice(0, besideKept)
}

const keeps = 'the node is well with it, and default gets its former value back'

const whyLeft = (rollout: Rollout, { objects }: StepInput): string =>
  isStillOurs(rollout, objects)
    ? 'its former value would fix no node'
    : 'somebody changed it after this rollout wrote it'

const changedMeanwhile = 'somebody changed it at the same time'

const illBy = 'a node that got its range from default is not well'

/** calico-node on the node is Ready, and the node has the value of its override. */
const isWellWith = (
  { annotations }: FelixObject,
  node: string,
  { current, seen: { pods, rangeOn } }: { current: RolloutNow; seen: StepInput },
): boolean => {
  const pod = pods.find((it) => it.node === node && !it.deletedAt)
  return pod !== undefined && pod.ready && !isFlapping(current, pod) && rangeOn(pod) === annotations[rangeAnnotation]
}

/** Whether the node became Ready is checked after a delay. */
const over = ({ reason = 'halted', pace, evidence }: Rollout): Outcome => ({
  next: 'over',
  state: 'halted',
  why: reason,
  ...(evidence?.takenBackAt !== undefined && { recheckAfterSeconds: pace.settleSeconds }),
})
