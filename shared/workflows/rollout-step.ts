import type { KubeClient } from '../clients/kube-client.ts'
import type { PodState } from '../domain/cluster.ts'
import { nextStep } from '../domain/rollout/next-step.ts'
import { overriddenNode } from '../domain/rollout/range-writes.ts'
import { overrideKey } from '../domain/rollout/annotations.ts'
import { parseRollout, type Rollout } from '../domain/rollout.ts'
import { seenOf } from '../domain/rollout/seen.ts'
import type { Seen } from '../domain/rollout/step.ts'
import { KubeError } from '../errors.ts'
import { unlessApiIsGone } from './api-gone.ts'
import { carryOut } from './carry-out.ts'
import { needed } from './needed.ts'
import { haltWithEvidence, rollBack } from './rollout-halt.ts'
import { heldByOther, isOverdue, renew, type Standing } from './rollout-lease.ts'

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
  return unlessRefused(async () => {
    // The step goes on at once: where messages come late, a step that only renewed would follow upon another for ever.
    const kept = isOverdue(record, tools) ? await renew(tools, record) : record
    const standing = { record: kept, rollout }
    return unlessApiIsGone(named, standing, () => takeStep(named, standing))
  })
}

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
