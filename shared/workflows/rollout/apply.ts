import type { FelixObject } from '../../domain/cluster.ts'
import { objectName } from '../../domain/felix/layer.ts'
import { emptyJournal, entriesBetweenLooks, unnoted } from '../../domain/rollout/journal.ts'
import { rangeAnnotation } from '../../domain/rollout/annotations.ts'
import {
  allOff,
  confirmed,
  forgotten,
  isRestored,
  lastWriter,
  noting,
  rangeOff,
  writtenBefore,
} from '../../domain/rollout/memory.ts'
import { overriddenNode, overrideName } from '../../domain/rollout/range-writes.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import { pendingPlaces, placesOf } from '../../domain/rollout/places.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import type { StepInput, Step } from '../../domain/rollout/step.ts'
import { listed } from '../../domain/findings/range-layers.ts'
import { needed } from '../needed.ts'
import { removeOverride, whyWithdrawn, withdrawOverride, writeDefault, writeOverride } from './range-writes.ts'
import { halt } from './halt.ts'
import { isDueForRenewal, putRollout, renew } from './lease.ts'
import { afterNote } from './note.ts'
import { type At, needTimeToWrite, notedOnce, type Noting, putWritten, remembered } from './remembered.ts'
import type { LeasedRollout, Outcome, StepTools } from './tools.ts'

/** The effect of one decision, and what comes next. */
export const applyStep = async (step: Step, tools: StepTools, at: At): Promise<Outcome> => {
  if (step.do !== 'wait') needTimeToWrite()
  if ('object' in step && step.object && isNew(at.rollout, step.object)) return noteWrites(tools, at)
  if (step.do === 'promote' && tools.looksFirst?.()) return { next: 'look', why: 'default is next' }
  switch (step.do) {
    case 'override':
    case 'promote':
    case 'remove-override':
    case 'take-back':
      return write(tools, at, step)
    case 'begin-restarts':
      return beginRestarts(tools, at)
    case 'restart':
      return restart(tools, at, step)
    case 'wait':
      if (isDueForRenewal(at.record, tools)) await renew(tools, at.record)
      return { next: 'wait', seconds: step.seconds, why: step.why }
    case 'halt':
      return halt(tools, at, step)
    case 'finish':
      return finish(tools, at)
  }
}

/** Nodes that do not have the range yet get it from `default`: all of them, unless the rollout is staged. */
const reachesNodes = ({ now }: Noting, { rollout, seen }: At): boolean =>
  pendingPlaces(rollout, placesOf({ rollout, now: now().getTime() }, seen)).length > 0

type Write = Extract<Step, { do: 'override' | 'promote' | 'remove-override' | 'take-back' }>

const write = async (tools: StepTools, at: At, step: Write): Promise<Outcome> => {
  await writeStep(tools, at, step)
  return step.do === 'override' || step.do === 'promote' ? afterEntry(at.rollout) : { next: 'now' }
}

const afterEntry = ({ journal: { entries, earlier } = emptyJournal }: Rollout): Outcome =>
  (entries.length + earlier + 1) % entriesBetweenLooks === 0 ? recordFirst : { next: 'now' }

const writeStep = async (tools: StepTools, at: At, step: Write): Promise<void> => {
  const { rollout, seen } = at
  const { objects, defaultRange } = seen
  const to = rollout.target
  const toRange = { why: `range ${to}`, to }
  switch (step.do) {
    case 'override': {
      const { node } = step
      const pod = seen.pods.find((it) => it.node === node)
      const from = pod && seen.rangeOn(pod)
      const name = overrideName(node)
      await remembered(tools, at, {
        name,
        what: 'override',
        from,
        to,
        write: (noting) => writeOverride(noting, rollout, { node, objects, from }),
      })
      return tools.tell({ what: 'override written', node, object: objectName(overrideName(node)), from, ...toRange })
    }
    case 'promote':
      await remembered(tools, at, {
        name: 'default',
        what: 'promote',
        from: defaultRange,
        to,
        write: (noting) => writeDefault({ ...noting, atOnce: reachesNodes(noting, at) }, rollout, objects),
      })
      return tools.tell({
        what: 'value written to default',
        object: objectName('default'),
        from: defaultRange,
        ...toRange,
      })
    case 'remove-override':
      await remove(tools, at, step.object)
      return tools.tell({
        what: 'override removed',
        object: objectName(step.object.name),
        why: whyRemoved(rollout),
        from: to,
      })
    case 'take-back': {
      const { node, object } = step
      const from = object.annotations[rangeAnnotation]
      // The next node waits for this one also where somebody takes the marks of this write.
      await remembered(tools, at, {
        name: object.name,
        as: rangeOff(object.name),
        what: 'take-back',
        from,
        why: whyWithdrawn(rollout),
        write: (noting) => withdrawOverride(noting, rollout, object),
      })
      return tools.tell({
        what: 'range taken back',
        node,
        object: objectName(overrideName(node)),
        why: whyWithdrawn(rollout),
        from: to,
      })
    }
  }
}

/** It is noted before, so that it is not made again and again. A node of the same name may join later. */
const remove = async (tools: StepTools, { record, rollout, seen }: At, object: FelixObject): Promise<void> => {
  const { name } = object
  const isGone = seen.left?.has(overriddenNode(object))
  const known = isGone ? { ...rollout, written: forgotten(rollout.written, name) } : rollout
  const others = seen.objects.filter((it) => it !== object)
  const written = noting(known, allOff(name), others)
  const now = await putWritten(tools, record, written)
  await afterNote(tools, { before: record, now }, () => removeOverride(tools, rollout, object))
  if (object.deletedAt !== undefined) await putWritten(tools, now, confirmed(written, allOff(name)))
}

const beginRestarts = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { rollout, seen } = at
  await putRollout(tools, at, { ...rollout, phase: 'restarts' }, { objects: seen.objects, note: removals(rollout) })
  return { next: 'now' }
}

/**
 * When an object is deleted or overwritten, the record of its last write is lost: so it is first copied to the
 * journal, for all objects at once.
 */
const isNew = ({ journal = emptyJournal }: Rollout, object: FelixObject): boolean =>
  unnoted(journal, [object]).length > 0

const noteWrites = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { journal = emptyJournal } = at.rollout
  const { objects } = at.seen
  await putRollout(tools, at, at.rollout, { objects })
  return unnoted(journal, objects).length < entriesBetweenLooks ? { next: 'now' } : recordFirst
}

const recordFirst: Outcome = { next: 'wait', seconds: 1, why: 'earlier writes are recorded first' }

/** Overrides are deleted one by one and recorded together, when the last is gone. */
const removals = (rollout: Rollout) => {
  const { id, phase, journal = emptyJournal } = rollout
  if (phase !== 'range') return []
  const made = journal.entries.filter((entry) => entry.rollout === id && entry.what === 'override')
  const count = new Set(made.map(({ object }) => object)).size
  const remove = { what: 'remove', object: 'FelixConfiguration/node.*', why: whyRemoved(rollout) }
  return count === 0 ? [] : [{ ...remove, from: `${count}-overrides` }]
}

const whyRemoved = (rollout: Rollout): string =>
  rollout.state === 'aborting' || rollout.target === undefined ? whyWithdrawn(rollout) : 'default has the value'

const restart = async (
  tools: StepTools,
  at: At,
  { pod, settled }: Extract<Step, { do: 'restart' }>,
): Promise<Outcome> => {
  const { rollout } = at
  const object = `Pod/${pod.namespace}/${pod.name}`
  // After an interruption its time is noted again: the deadline starts with the deletion, which may be long after the first
  // note.
  const touching = rollout.touching.filter((it) => !settled.includes(it.node) && it.pod !== pod.name)
  touching.push({ node: pod.node, pod: pod.name, at: tools.now().toISOString() })
  await notedOnce(tools, at, {
    note: { what: 'restart', object, from: pod.uid },
    next: { ...rollout, touching },
    write: () => tools.kube.deletePod(pod),
  })
  tools.tell({ what: 'calico-node restarted', node: pod.node, object, from: pod.uid })
  return afterEntry(rollout)
}

type Ending = LeasedRollout & { seen: Pick<StepInput, 'objects'> }

/** `unseen`: why no object can be read any more. */
export const finish = async (tools: StepTools, at: Ending, unseen?: string): Promise<Outcome> => {
  const { rollout, seen } = at
  const state = rollout.state === 'aborting' ? 'aborted' : 'done'
  const objects = unseen === undefined ? await objectsLeft(tools, at) : []
  const left = unseen ?? leftBehind(rollout, objects)
  const about = left === undefined ? {} : { why: left }
  const finishedAt = tools.now().toISOString()
  const { evidence: _evidence, written: _written, unwell: _unwell, ...rest } = rollout
  const reason = left === undefined ? {} : { reason: left }
  const [restored] = restoredIn(rollout, objects)
  const by = lastWriter(restored)
  const reverted = restored && {
    reverted: { object: objectName(restored.name), at: finishedAt, ...(by !== undefined && { by }) },
  }
  const next: Rollout = { ...rest, ...reason, ...reverted, state, touching: [], restart: [], finishedAt }
  const note = [...(unseen === undefined ? removals(rollout) : []), { what: state, ...about }]
  await putRollout(tools, at, next, { giveUp: true, objects: seen.objects, note })
  tools.tell({ what: state === 'done' ? 'rollout finished' : 'rollout aborted', ...about })
  const end = state === 'done' ? 'every change is made and every touched node is well' : 'no override of ours is left'
  return { next: 'over', state, why: left === undefined ? end : `${end}; ${left}` }
}

/** While pods are restarted, nothing else needs them. */
const objectsLeft = async ({ kube }: StepTools, { rollout, seen }: Ending): Promise<FelixObject[]> =>
  rollout.written && rollout.phase === 'restarts' && rollout.state === 'running'
    ? needed(await kube.felixConfigurations([rollout.where.api])).objects
    : seen.objects

/**
 * What is not provably ours is not removed. Nothing on the object says that this rollout wrote it: people find it by this.
 * Without a target, because its reason no longer exists, any range counts. What somebody restored is not removed again, and what finalizers
 * keep is for those who set them.
 */
const leftBehind = (rollout: Rollout, objects: FelixObject[]): string | undefined => {
  const before = writtenBefore(rollout)
  const keepsRange = ({ annotations: { [rangeAnnotation]: range } }: FelixObject) =>
    range !== undefined && range === (rollout.target ?? range)
  const kept = objects.filter(
    (it) => it.name !== 'default' && keepsRange(it) && before(it.name) !== 'no' && !isOurs(it),
  )
  const texts = [
    ...named(kept, (names) => `somebody took our marks from ${names}, which keep the range`),
    ...named(restoredIn(rollout, objects), (names) => `somebody restored ${names}, which we had removed`),
    ...heldIn(rollout, objects).map(
      ({ name, finalizers = [] }) =>
        `${name} has none of our values any more, and its finalizers (${listed(finalizers, 5)}) keep it: it goes when whoever set them removes them`,
    ),
  ]
  return texts.length === 0 ? undefined : texts.join('; ')
}

const restoredIn = (rollout: Rollout, objects: FelixObject[]): FelixObject[] => {
  const isBack = isRestored(rollout)
  return objects.filter((it) => isOurs(it) && isBack(it))
}

/** Deleted, and still there without anything of ours. */
const heldIn = (rollout: Rollout, objects: FelixObject[]): FelixObject[] => {
  const before = writtenBefore(rollout)
  return objects
    .filter((it) => it.deletedAt !== undefined && before(allOff(it.name)) !== 'no' && !isOurs(it))
    .slice(0, 5)
}

const named = (objects: FelixObject[], text: (names: string) => string): string[] =>
  objects.length === 0
    ? []
    : [
        text(
          listed(
            objects.map(({ name }) => name),
            5,
          ),
        ),
      ]
