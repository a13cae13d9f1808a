import type { KubeClient } from '../clients/kube-client.ts'
import type { FelixObject, PodState } from '../domain/cluster.ts'
import { lookAfter, unnoted } from '../domain/rollout/journal.ts'
import { nextStep } from '../domain/rollout/next-step.ts'
import { overriddenNode } from '../domain/rollout/range-writes.ts'
import { overrideKey } from '../domain/rollout/annotations.ts'
import { parseRollout, type Rollout } from '../domain/rollout.ts'
import { seenOf } from '../domain/rollout/seen.ts'
import type { Seen, Step } from '../domain/rollout/step.ts'
import { KubeError } from '../errors.ts'
import { unlessApiIsGone } from './api-gone.ts'
import { needed } from './needed.ts'
import { aborted, removeOverride, withdrawOverride, writeDefault, writeOverride } from './range-effects.ts'
import { halt, haltWithEvidence, rollBack } from './rollout-halt.ts'
import {
  emptyJournal,
  heldByOther,
  isDueForRenewal,
  isOverdue,
  putRollout,
  renew,
  type Standing,
} from './rollout-lease.ts'

/** What a step reaches the world through. */
export interface StepTools {
  kube: KubeClient
  /** Who holds the Lease: one name for all Lambdas of a hub, one per process of the command line. */
  holder: string
  /** The Lease is renewed in a third of it; a holder that died is waited out for this long. */
  leaseSeconds: number
  now: () => Date
  tell: (event: StepEvent) => void
}

/** What was done, for the log and for whoever watches: of a write also in which rollout, by whom, for which cause, and from what to what. */
export type StepEvent = {
  what: string
  node?: string
  object?: string
  why?: string
  rollout?: string
  by?: string
  /** What made the rollout necessary. */
  cause?: string | undefined
  from?: string | undefined
  to?: string | undefined
  evidence?: string[]
}

export type Outcome =
  | { next: 'now' }
  | { next: 'wait'; seconds: number; why: string }
  /** `lookAfterSeconds`: what was done last shows only then. */
  | { next: 'over'; state: Rollout['state'] | 'none'; why: string; lookAfterSeconds?: number }

/**
 * One step of the rollout that stands in the Lease: at most four requests (one more where the Lease was about to expire,
 * a touched node is missing, or the API is gone) and at most one effect on nodes. Whatever was carried out before and not
 * acknowledged is seen in the cluster and not done again.
 */
export const rolloutStep = async (tools: StepTools): Promise<Outcome> => {
  const record = needed(await tools.kube.lease())
  const rollout = parseRollout(record)
  if (!record || !rollout) return { next: 'over', state: 'none', why: 'no rollout has begun' }
  const held = heldByOther(record, tools)
  if (held) return held
  const named = withNames(tools, rollout)
  if (rollout.state === 'halted' && rollout.rollback)
    return unlessApiIsGone(named, { record, rollout }, () => rollBack(named, { record, rollout }))
  if (rollout.state !== 'running' && rollout.state !== 'aborting')
    return { next: 'over', state: rollout.state, why: rollout.reason ?? rollout.state }
  return lookAgainAtConflict(async () => {
    // The step goes on at once: where messages come late, a step that only renewed would follow upon another for ever.
    const kept = isOverdue(record, tools) ? await renew(tools, record) : record
    const standing = { record: kept, rollout }
    return unlessApiIsGone(named, standing, () => takeStep(named, standing))
  })
}

/** Somebody changed the object since it was read: nothing was written. */
const lookAgainAtConflict = async (step: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await step()
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'conflict') return { next: 'wait', seconds: 1, why: error.message }
    throw error
  }
}

/** Each line of the log stands for itself. */
const withNames = (tools: StepTools, { id: rollout, why: cause }: Rollout): StepTools => ({
  ...tools,
  tell: (event) => tools.tell({ ...event, rollout, by: tools.holder, cause }),
})

const takeStep = async (tools: StepTools, standing: Standing): Promise<Outcome> => {
  const { rollout } = standing
  if (rollout.evidence?.pending) return haltWithEvidence(tools, standing, rollout.evidence)
  const seen = await look(tools.kube, rollout)
  return carryOut(nextStep(rollout, seen, tools.now().toISOString()), tools, { ...standing, seen })
}

const look = async (kube: KubeClient, rollout: Rollout): Promise<Seen> => {
  const { where, phase, state } = rollout
  const [listed, felix] = await Promise.all([
    kube.pods({ role: 'calico-node', ...where.pods }),
    phase === 'range' || state === 'aborting' ? kube.felixConfigurations([where.api]) : undefined,
  ])
  const pods = needed(listed)
  const seen = felix ? seenOf(needed(felix), pods, where) : onlyPods(pods)
  return { ...seen, left: await whoLeft(kube, rollout, seen) }
}

const onlyPods = (pods: PodState[]): Seen => ({ pods, objects: [], rangeOn: () => undefined, defaultRange: undefined })

/** A touched node without a pod has left, or waits for its pod: only then are the nodes asked for, which are many. */
const whoLeft = async (kube: KubeClient, { touching }: Rollout, { objects, pods }: Seen): Promise<Set<string>> => {
  const overridden = objects.filter(({ annotations }) => annotations[overrideKey]).map(overriddenNode)
  const occupied = new Set(pods.map(({ node }) => node))
  const bare = [...touching.map(({ node }) => node), ...overridden].filter((node) => !occupied.has(node))
  if (bare.length === 0) return new Set()
  const there = new Set(needed(await kube.nodes()).map(({ name }) => name))
  return new Set(bare.filter((name) => !there.has(name)))
}

const carryOut = async (step: Step, tools: StepTools, at: Standing & { seen: Seen }): Promise<Outcome> => {
  const { rollout, seen } = at
  const { objects } = seen
  switch (step.do) {
    case 'override': {
      if (step.object && isNew(rollout, step.object)) return noteWrites(tools, at)
      const pod = seen.pods.find(({ node }) => node === step.node)
      const from = pod && seen.rangeOn(pod)
      await writeOverride(tools, rollout, { node: step.node, objects, from })
      const object = `FelixConfiguration/node.${step.node}`
      const why = `range ${rollout.target}`
      tools.tell({ what: 'override written', node: step.node, object, why, from, to: rollout.target })
      return { next: 'now' }
    }
    case 'promote': {
      await writeDefault(tools, rollout, objects)
      const object = 'FelixConfiguration/default'
      const about = { object, why: `range ${rollout.target}`, from: seen.defaultRange, to: rollout.target }
      tools.tell({ what: 'value written to default', ...about })
      return { next: 'now' }
    }
    case 'remove-override': {
      if (isNew(rollout, step.object)) return noteWrites(tools, at)
      await removeOverride(tools, rollout, step.object)
      const object = `FelixConfiguration/${step.object.name}`
      tools.tell({ what: 'override removed', object, why: whyRemoved(rollout), from: rollout.target })
      return { next: 'now' }
    }
    case 'take-back': {
      if (isNew(rollout, step.object)) return noteWrites(tools, at)
      await withdrawOverride(tools, rollout, step.object)
      const object = `FelixConfiguration/node.${step.node}`
      tools.tell({ what: 'range taken back', node: step.node, object, why: aborted, from: rollout.target })
      return { next: 'now' }
    }
    case 'begin-restarts':
      await putRollout(tools, at, { ...rollout, phase: 'restarts' }, { objects, note: removals(rollout) })
      return { next: 'now' }
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

/**
 * An object that goes takes along what it says of its last write, as does one that is written anew: that stands in the
 * journal first, for all objects at once.
 */
const isNew = ({ journal = emptyJournal }: Rollout, object: FelixObject): boolean =>
  unnoted(journal, [object]).length > 0

const noteWrites = async (tools: StepTools, at: Standing & { seen: Seen }): Promise<Outcome> => {
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
  const isNoted = rollout.journal?.entries.some((entry) => entry.rollout === rollout.id && entry.object === object)
  const note = isNoted ? [] : [{ what: 'restart', object, from: pod.uid }]
  await putRollout(tools, at, { ...rollout, touching }, { note })
  await tools.kube.deletePod(pod)
  tools.tell({ what: 'calico-node restarted', node: pod.node, object, from: pod.uid })
  const { entries, earlier } = rollout.journal ?? emptyJournal
  return (entries.length + earlier + 1) % lookAfter === 0 ? lookFirst : { next: 'now' }
}

const finish = async (tools: StepTools, at: Standing & { seen: Seen }): Promise<Outcome> => {
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
