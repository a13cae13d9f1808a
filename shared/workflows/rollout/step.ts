import type { KubeClient } from '../../clients/kube/client.ts'
import type { PodState } from '../../domain/cluster.ts'
import { nextStep } from '../../domain/rollout/next-step.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import type { Entry } from '../../domain/rollout/journal.ts'
import { carefulPace } from '../../domain/rollout/pace.ts'
import { parseRollout } from '../../domain/rollout/parse.ts'
import type { Pace, Rollout } from '../../domain/rollout/rollout.ts'
import { seenOf, withNodes } from '../../domain/rollout/seen.ts'
import type { Seen, Step } from '../../domain/rollout/step.ts'
import { KubeError } from '../../errors.ts'
import { unlessApiIsGone } from './api-gone.ts'
import { carryOut } from './apply.ts'
import { decisionOf } from './decision.ts'
import { needed } from '../needed.ts'
import { haltWithEvidence, rollBack } from './halt.ts'
import { heldByOther, isOverdue, renew, type Standing } from './lease.ts'

/** What a step reaches the world through. */
export interface StepTools {
  kube: KubeClient
  /** Who holds the Lease: one name for all Lambdas of a hub, one per process of the command line. */
  holder: string
  /** The Lease is renewed in a third of it; a holder that died is waited out for this long. */
  leaseSeconds: number
  /** Nobody is hurried beyond it by what stands in the Lease. */
  policy: Pace
  /** What this party decided when it last looked at the whole cluster (`decisionOf`); absent: it has not looked. */
  decided?: string | undefined
  now: () => Date
  tell: (event: StepEvent) => void
  /** Puts on record what was just done; absent: nothing is kept but what the cluster itself says. */
  record?: (entries: Entry[]) => Promise<void>
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
  /** The Lease says what this party did not decide: it acts only after a look at the whole cluster (`beginRollout`). */
  | { next: 'look'; why: string }
  /** `lookAfterSeconds`: what was done last shows only then. */
  | { next: 'over'; state: Rollout['state'] | 'none'; why: string; lookAfterSeconds?: number }

/**
 * One step of the rollout in the Lease: at most five requests, and eight where it writes a range, which is noted before
 * and confirmed after (one more where the Lease was about to expire, a touched node is missing or not Ready, one is looked at
 * more closely, or the API is gone) and at most one effect on nodes. What was carried
 * out before and not acknowledged is seen in the cluster and not done again. The Lease is anybody's to write: no node is
 * changed for it unless this party decided it, and what is read to act upon is read afresh.
 */
export const rolloutStep = async (tools: StepTools): Promise<Outcome> => {
  const record = needed(await tools.kube.lease())
  const parsed = parseRollout(record, tools.now().getTime())
  if (parsed.is === 'invalid') return { next: 'over', state: 'none', why: notUnderstood(parsed.why) }
  if (!record || parsed.is === 'none') return { next: 'over', state: 'none', why: 'no rollout has begun' }
  const held = heldByOther(record, tools)
  if (held) return held
  const rollout = { ...parsed.rollout, pace: carefulPace(parsed.rollout.pace, tools.policy) }
  const named = withNames(tools, rollout)
  if (rollout.state === 'halted' && rollout.rollback)
    return unlessApiIsGone(named, { record, rollout }, async () => {
      const calico = await calicoPods(named.kube)
      return calico === undefined ? noOneDaemonSet : rollBack(named, { record, rollout }, calico.pods)
    })
  if (rollout.state !== 'running' && rollout.state !== 'aborting')
    return { next: 'over', state: rollout.state, why: rollout.reason ?? rollout.state }
  if (rollout.state === 'running' && decisionOf(rollout) !== tools.decided)
    return { next: 'look', why: 'the Lease says what was not decided here' }
  return unlessRefused(async () => {
    // The step goes on at once: where messages come late, a step that only renewed would follow upon another for ever.
    const kept = isOverdue(record, tools) ? await renew(tools, record) : record
    const standing = { record: kept, rollout }
    return unlessApiIsGone(named, standing, () => takeStep(named, standing))
  })
}

export const notUnderstood = (why: string): string =>
  `The Lease kube-system/calico-ipvs-sync cannot be understood: ${why}. Look at it (kubectl -n kube-system get lease calico-ipvs-sync -o yaml) and delete it.`

/** Somebody changed the object since it was read, or the server is throttling: nothing was written. */
const unlessRefused = async (step: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await step()
  } catch (error) {
    if (error instanceof KubeError && error.kind === 'conflict') return { next: 'wait', seconds: 1, why: error.message }
    // Refused before anything was done.
    if (error instanceof KubeError && error.status === 429)
      return { next: 'wait', seconds: error.retryAfterSeconds || 5, why: error.message }
    throw error
  }
}

/** Each line of the log stands for itself. */
const withNames = (tools: StepTools, { id: rollout, why: cause }: Rollout): StepTools => ({
  ...tools,
  tell: (event) => tools.tell({ ...event, rollout, by: tools.holder, cause }),
})

const noOneDaemonSet: Outcome = {
  next: 'wait',
  seconds: 60,
  why: 'there is no one calico-node DaemonSet to go by',
}

const takeStep = async (tools: StepTools, standing: Standing): Promise<Outcome> => {
  const { rollout } = standing
  const calico = await calicoPods(tools.kube)
  if (calico === undefined) return noOneDaemonSet
  const { pods, missing } = calico
  if (rollout.evidence?.pending) return haltWithEvidence(tools, standing, { first: rollout.evidence, pods })
  const looked = { ...(await lookAtRollout(tools.kube, rollout, pods)), missing }
  const { step, seen } = await decide(tools, rollout, looked)
  return carryOut(step, tools, { ...standing, seen })
}

/** A pod may be called Ready for as long as its kubelet is silent: before a node is touched, it is asked for itself. */
const decide = async ({ kube, now }: StepTools, rollout: Rollout, seen: Seen): Promise<{ step: Step; seen: Seen }> => {
  const at = now().toISOString()
  const step = nextStep(rollout, seen, at)
  const name = step.do === 'override' ? step.node : step.do === 'restart' ? step.pod.node : undefined
  if (name === undefined) return { step, seen }
  const isReady = needed(await kube.nodes(name)).some((node) => node.name === name && node.ready)
  if (isReady) return { step, seen }
  const known = withNodes(seen, needed(await kube.nodes()))
  return { step: nextStep(rollout, known, at), seen: known }
}

export interface CalicoPods {
  pods: PodState[]
  /** Pods that the DaemonSet is to have and has not. */
  missing: number
}

/** Of the DaemonSet that runs calico-node, and of nothing else. Undefined: there is none, or Calico is being migrated. */
export const calicoPods = async (kube: KubeClient): Promise<CalicoPods | undefined> => {
  const [set, ...others] = needed(await kube.daemonSets()).filter(({ role }) => role === 'calico-node')
  if (!set || others.length > 0) return undefined
  const { namespace, selector, uid, status } = set
  const listed = needed(await kube.pods({ role: 'calico-node', namespace, selector, uid }))
  const pods = listed.filter(({ daemonSet }) => daemonSet === uid)
  return { pods, missing: Math.max(0, status.desired - new Set(pods.map(({ node }) => node)).size) }
}

export const lookAtRollout = async (
  kube: KubeClient,
  { where, phase, state, touching }: Rollout,
  pods: PodState[],
): Promise<Seen> => {
  const ranged = phase === 'range' || state === 'aborting'
  const seen = ranged ? seenOf(needed(await kube.felixConfigurations([where.api])), pods, where) : onlyPods(pods)
  return { ...seen, left: await whoLeft(kube, touching, seen) }
}

const onlyPods = (pods: PodState[]): Seen => ({ pods, objects: [], rangeOn: () => undefined, defaultRange: undefined })

/** A touched node without a pod has left, or waits for its pod: only then are the nodes asked for, which are many. */
const whoLeft = async (
  kube: KubeClient,
  touching: Rollout['touching'],
  { objects, pods }: Seen,
): Promise<Set<string>> => {
  const overridden = objects.filter(isOurs).map(overriddenNode)
  const occupied = new Set(pods.map(({ node }) => node))
  const bare = [...touching.map(({ node }) => node), ...overridden].filter((node) => !occupied.has(node))
  if (bare.length === 0) return new Set()
  const there = new Set(needed(await kube.nodes()).map(({ name }) => name))
  return new Set(bare.filter((name) => !there.has(name)))
}
