import type { KubeClient } from '../clients/kube-client.ts'
import type { PodState, RolloutRecord } from '../domain/cluster.ts'
import { nextStep, type Seen, type Step } from '../domain/next-step.ts'
import { overriddenNode } from '../domain/range-writes.ts'
import { overrideKey } from '../domain/rollout-annotations.ts'
import { parseRollout, rolloutAnnotations, type Rollout } from '../domain/rollout.ts'
import { seenOf } from '../domain/seen.ts'
import { KubeError } from '../errors.ts'
import { needed } from './needed.ts'
import { removeOverride, withdrawOverride, writeDefault, writeOverride } from './range-effects.ts'

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

/** What was done, for the log and for whoever watches. */
export type StepEvent = { what: string; node?: string; object?: string; why?: string }

export type Outcome =
  | { next: 'now' }
  | { next: 'wait'; seconds: number; why: string }
  | { next: 'over'; state: Rollout['state'] | 'none'; why: string }

/**
 * One step of the rollout that stands in the Lease: at most four requests (one more where a touched node is missing),
 * at most one effect on nodes. Whatever was
 * carried out before and not acknowledged is seen in the cluster and not done again.
 */
export const rolloutStep = async (tools: StepTools): Promise<Outcome> => {
  const record = needed(await tools.kube.lease())
  const rollout = parseRollout(record)
  if (!record || !rollout) return { next: 'over', state: 'none', why: 'no rollout has begun' }
  const held = heldByOther(record, tools)
  if (held) return held
  if (rollout.state === 'halted' && rollout.rollback) return rollBack(tools, { record, rollout })
  if (rollout.state !== 'running' && rollout.state !== 'aborting')
    return { next: 'over', state: rollout.state, why: rollout.reason ?? rollout.state }
  if (isDueForRenewal(record, tools)) return renew(tools, record)
  return takeStep(tools, { record, rollout })
}

interface Standing {
  record: RolloutRecord
  rollout: Rollout
}

const takeStep = async (tools: StepTools, standing: Standing): Promise<Outcome> => {
  const { rollout } = standing
  const seen = await look(tools.kube, rollout)
  const step = nextStep(rollout, seen, tools.now().toISOString())
  try {
    return await carryOut(step, tools, { ...standing, seen })
  } catch (error) {
    // Somebody changed the object since it was read: nothing was written; look again.
    if (error instanceof KubeError && error.kind === 'conflict') return { next: 'wait', seconds: 1, why: error.message }
    throw error
  }
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
    case 'override':
      await writeOverride(tools, rollout, { node: step.node, objects })
      tools.tell({ what: 'override written', node: step.node, why: `range ${rollout.target}` })
      return { next: 'now' }
    case 'promote':
      await writeDefault(tools, rollout, objects)
      tools.tell({
        what: 'value written to default',
        object: 'FelixConfiguration/default',
        why: `range ${rollout.target}`,
      })
      return { next: 'now' }
    case 'remove-override':
      await removeOverride(tools, rollout, step.object)
      tools.tell({ what: 'override removed', object: `FelixConfiguration/${step.object.name}` })
      return { next: 'now' }
    case 'take-back':
      await withdrawOverride(tools, rollout, step.object)
      tools.tell({ what: 'range taken back', node: step.node })
      return { next: 'now' }
    case 'begin-restarts':
      await putRollout(tools, at, { ...rollout, phase: 'restarts' })
      return { next: 'now' }
    case 'restart':
      return restart(tools, at, step)
    case 'wait':
      return { next: 'wait', seconds: step.seconds, why: step.why }
    case 'halt':
      return halt(tools, at, step)
    case 'finish':
      return finish(tools, at)
  }
}

/** The intent goes into the Lease before the deed: cut short between the two, the next step sees both and goes on. */
const restart = async (
  tools: StepTools,
  at: Standing,
  { pod, settled }: Extract<Step, { do: 'restart' }>,
): Promise<Outcome> => {
  const { rollout } = at
  // Cut short, it is noted anew: the deadline runs from the deed, which may come long after.
  const touching = rollout.touching.filter((it) => !settled.includes(it.node) && it.pod !== pod.name)
  touching.push({ node: pod.node, pod: pod.name, at: tools.now().toISOString() })
  await putRollout(tools, at, { ...rollout, touching })
  await tools.kube.deletePod(pod)
  tools.tell({ what: 'calico-node restarted', node: pod.node, object: `Pod/${pod.namespace}/${pod.name}` })
  return { next: 'now' }
}

const halt = async (
  tools: StepTools,
  at: Standing & { seen: Seen },
  { reason, node }: Extract<Step, { do: 'halt' }>,
): Promise<Outcome> => {
  await putRollout(tools, at, { ...at.rollout, state: 'halted', reason, ...(node && { rollback: node }) })
  tools.tell({ what: 'rollout halted', ...(node && { node }), why: reason })
  return node ? { next: 'now' } : { next: 'over', state: 'halted', why: reason }
}

/** Takes our override off the node that did not come back, and nothing else. */
const rollBack = async (tools: StepTools, { record, rollout }: Standing): Promise<Outcome> => {
  const { rollback: node, ...rest } = rollout
  const { objects } = needed(await tools.kube.felixConfigurations([rollout.where.api]))
  const object = objects.find(({ name }) => name === `node.${node}`)
  if (object) await removeOverride(tools, rollout, object)
  await putRollout(tools, { record, rollout }, rest, { giveUp: true })
  tools.tell({ what: 'override taken back', ...(node && { node }) })
  return { next: 'over', state: 'halted', why: rollout.reason ?? 'halted' }
}

const finish = async (tools: StepTools, at: Standing): Promise<Outcome> => {
  const state = at.rollout.state === 'aborting' ? 'aborted' : 'done'
  const finishedAt = tools.now().toISOString()
  await putRollout(tools, at, { ...at.rollout, state, touching: [], restart: [], finishedAt }, { giveUp: true })
  tools.tell({ what: state === 'done' ? 'rollout finished' : 'rollout aborted' })
  const why = state === 'done' ? 'every change is made and every touched node is well' : 'no override of ours is left'
  return { next: 'over', state, why }
}

const putRollout = (tools: StepTools, { record }: Standing, rollout: Rollout, { giveUp = false } = {}) =>
  tools.kube.putLease({
    resourceVersion: record.resourceVersion,
    holder: giveUp ? null : tools.holder,
    renewedAt: tools.now().toISOString(),
    leaseSeconds: tools.leaseSeconds,
    annotations: rolloutAnnotations(rollout),
  })

const heldByOther = ({ holder, renewedAt, leaseSeconds }: RolloutRecord, tools: StepTools): Outcome | undefined => {
  if (!holder || holder === tools.holder || !renewedAt) return undefined
  const left = (leaseSeconds ?? 0) - (tools.now().getTime() - Date.parse(renewedAt)) / 1000
  return left > 0
    ? { next: 'wait', seconds: Math.ceil(left), why: `the rollout is being carried out by ${holder}` }
    : undefined
}

const isDueForRenewal = (
  { holder, renewedAt }: RolloutRecord,
  { holder: self, leaseSeconds, now }: StepTools,
): boolean => holder !== self || now().getTime() - Date.parse(renewedAt ?? '1970-01-01') > (leaseSeconds * 1000) / 3

const renew = async (tools: StepTools, { resourceVersion }: RolloutRecord): Promise<Outcome> => {
  const { holder, leaseSeconds } = tools
  await tools.kube.putLease({ resourceVersion, holder, leaseSeconds, renewedAt: tools.now().toISOString() })
  return { next: 'now' }
}
