import type { FelixObject } from '../domain/cluster.ts'
import { objectName } from '../domain/felix/layer.ts'
import { type Entry, lookAfter, unnoted } from '../domain/rollout/journal.ts'
import { overrideName } from '../domain/rollout/range-writes.ts'
import type { Rollout } from '../domain/rollout.ts'
import type { Seen, Step } from '../domain/rollout/step.ts'
import { aborted, removeOverride, withdrawOverride, writeDefault, writeOverride } from './range-effects.ts'
import { halt } from './rollout-halt.ts'
import { emptyJournal, entriesOf, isDueForRenewal, putRollout, renew, type Standing } from './rollout-lease.ts'
import type { Outcome, StepTools } from './rollout-step.ts'

/** What a decision was made upon. */
type At = Standing & { seen: Seen }

/** The effect of one decision, and what comes next. */
export const carryOut = async (step: Step, tools: StepTools, at: At): Promise<Outcome> => {
  if ('object' in step && step.object && isNew(at.rollout, step.object)) return noteWrites(tools, at)
  switch (step.do) {
    case 'override':
    case 'promote':
    case 'remove-override':
    case 'take-back':
      await write(tools, at, step)
      return { next: 'now' }
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

type Write = Extract<Step, { do: 'override' | 'promote' | 'remove-override' | 'take-back' }>

const write = async (tools: StepTools, { rollout, seen }: At, step: Write): Promise<void> => {
  const { objects, defaultRange } = seen
  const to = rollout.target
  const toRange = { why: `range ${to}`, to }
  switch (step.do) {
    case 'override': {
      const { node } = step
      const pod = seen.pods.find((it) => it.node === node)
      const from = pod && seen.rangeOn(pod)
      await writeOverride(tools, rollout, { node, objects, from })
      return tools.tell({ what: 'override written', node, object: objectName(overrideName(node)), from, ...toRange })
    }
    case 'promote':
      await writeDefault(tools, rollout, objects)
      return tools.tell({
        what: 'value written to default',
        object: objectName('default'),
        from: defaultRange,
        ...toRange,
      })
    case 'remove-override':
      await removeOverride(tools, rollout, step.object)
      return tools.tell({
        what: 'override removed',
        object: objectName(step.object.name),
        why: whyRemoved(rollout),
        from: to,
      })
    case 'take-back': {
      const { node, object } = step
      await withdrawOverride(tools, rollout, object)
      return tools.tell({
        what: 'range taken back',
        node,
        object: objectName(overrideName(node)),
        why: aborted,
        from: to,
      })
    }
  }
}

const beginRestarts = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { rollout, seen } = at
  await putRollout(tools, at, { ...rollout, phase: 'restarts' }, { objects: seen.objects, note: removals(rollout) })
  return { next: 'now' }
}

/**
 * An object that goes takes along what it says of its last write, as does one that is written anew: that stands in the
 * journal first, for all objects at once.
 */
const isNew = ({ journal = emptyJournal }: Rollout, object: FelixObject): boolean =>
  unnoted(journal, [object]).length > 0

const noteWrites = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { journal = emptyJournal } = at.rollout
  const { objects } = at.seen
  await putRollout(tools, at, at.rollout, { objects })
  return unnoted(journal, objects).length < lookAfter ? { next: 'now' } : lookFirst
}

const lookFirst: Outcome = { next: 'wait', seconds: 1, why: 'what was written goes on record first' }

/** Overrides go one by one and are noted together, when the last is gone. */
const removals = (rollout: Rollout) => {
  const { id, phase, journal = emptyJournal } = rollout
  if (phase !== 'range') return []
  const made = journal.entries.filter((entry) => entry.rollout === id && entry.what === 'override')
  const count = new Set(made.map(({ object }) => object)).size
  const remove = { what: 'remove', object: 'FelixConfiguration/node.*', why: whyRemoved(rollout) }
  return count === 0 ? [] : [{ ...remove, from: `${count}-overrides` }]
}

const whyRemoved = ({ state }: Rollout): string => (state === 'aborting' ? aborted : 'default has the value')

/** The intent goes into the Lease before the deed: cut short between the two, the next step sees both and goes on. */
const restart = async (
  tools: StepTools,
  at: Standing,
  { pod, settled }: Extract<Step, { do: 'restart' }>,
): Promise<Outcome> => {
  const { rollout } = at
  const object = `Pod/${pod.namespace}/${pod.name}`
  // Cut short, it is noted anew: the deadline runs from the deed, which may come long after.
  const touching = rollout.touching.filter((it) => !settled.includes(it.node) && it.pod !== pod.name)
  touching.push({ node: pod.node, pod: pod.name, at: tools.now().toISOString() })
  const isNoted = (it: Entry) => it.rollout === rollout.id && it.object === object
  const before = rollout.journal?.entries.find(isNoted)
  const entries = before ? [before] : entriesOf(tools, rollout, [{ what: 'restart', object, from: pod.uid }])
  await putRollout(tools, at, { ...rollout, touching }, { entries: before ? [] : entries })
  await tools.kube.deletePod(pod)
  await tools.record?.(entries)
  tools.tell({ what: 'calico-node restarted', node: pod.node, object, from: pod.uid })
  const kept = rollout.journal ?? emptyJournal
  return (kept.entries.length + kept.earlier + 1) % lookAfter === 0 ? lookFirst : { next: 'now' }
}

const finish = async (tools: StepTools, at: At): Promise<Outcome> => {
  const { rollout, seen } = at
  const state = rollout.state === 'aborting' ? 'aborted' : 'done'
  const finishedAt = tools.now().toISOString()
  const { evidence: _evidence, ...rest } = rollout
  const next: Rollout = { ...rest, state, touching: [], restart: [], finishedAt }
  const note = [...removals(rollout), { what: state }]
  await putRollout(tools, at, next, { giveUp: true, objects: seen.objects, note })
  tools.tell({ what: state === 'done' ? 'rollout finished' : 'rollout aborted' })
  const why = state === 'done' ? 'every change is made and every touched node is well' : 'no override of ours is left'
  return { next: 'over', state, why }
}
