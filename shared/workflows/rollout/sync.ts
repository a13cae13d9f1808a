import { intentOf, isNothing, type Intent } from '../../domain/plan/intent.ts'
import type { Policy } from '../../domain/policy/policy.ts'
import { failureOf, valueOf } from '../../domain/read.ts'
import { rolloutIn } from '../../domain/rollout/parse.ts'
import { hasRescue, type Rollout } from '../../domain/rollout/rollout.ts'
import { isWatched } from '../../domain/rollout/watched.ts'
import { KubeError, readAgain } from '../../errors.ts'
import { type AssessedCluster, type Beginning, beginRollout, type NotBegun } from './begin.ts'
import { fenced, HeldError, type Hold } from './hold.ts'
import { release } from './lease.ts'
import { takeStep } from './step.ts'
import { type Outcome, outdatedAfter, pauseFor, type StepTools } from './tools.ts'

/** `decided`: is set, so that a `sync` that is tried again with these tools knows what it had begun. */
export interface SyncTools extends Omit<StepTools, 'policy' | 'looksFirst'> {
  /** Observes the whole cluster. */
  look: () => Promise<AssessedCluster>
  /** Resolves early when the user interrupts. */
  sleep: (seconds: number) => Promise<void>
  /** Called before every wait, for a progress line. */
  waiting: (outcome: Wait) => void
  interrupted: () => boolean
}

/** `begun`: it was in the middle of the rollout. */
export type SyncResult =
  | { end: 'nothing-to-do' | 'blocked'; why: string; blockedBy: string[]; begun?: true }
  | { end: 'done' | 'halted' | 'stopped' | 'interrupted'; why: string }

type Wait = Extract<Outcome, { next: 'wait' }>
type Look = Extract<Outcome, { next: 'look' }>
type Over = Extract<Outcome, { next: 'over' }>

/**
 * A loop instead of the queue: the same steps as in the Lambda functions, in one process, which sleeps during waits. As
 * there, the whole cluster is looked at after a wait, and the rollout goes on only where it could begin.
 */
export const sync = async (given: SyncTools, policy: Policy): Promise<SyncResult> => {
  const looks = looksOf(given)
  const tools: SyncTools & StepTools = Object.assign(given, { policy, looksFirst: looks.areBehind })
  let outcome: Outcome = { next: 'look', why: 'to begin with' }
  let held = 0
  for (;;) {
    if (outcome.next === 'look' || looks.areDue(outcome)) {
      const look = await looks.look()
      const decision = await decideAgain(tools, look, { policy, outcome, held })
      if (decision !== 'step') {
        if ('end' in decision) return decision
        outcome = decision.next === 'look' ? decision : { next: 'look', why: decision.why }
        if (decision.next === 'look') continue
        held += 1
        const end = await observeMeanwhile(tools, look, decision)
        if (end) return ended(end)
        if (tools.interrupted()) return interrupted(tools)
        continue
      }
      held = 0
    }
    if (tools.interrupted()) return interrupted(tools)
    outcome = await takeStep(tools, outdatedAfter(outcome, tools.leaseSeconds))
    looks.stepped()
    if (outcome.next === 'over') {
      // Whether a node becomes Ready after its override was removed shows only after some time.
      if (outcome.recheckAfterSeconds !== undefined) await tools.sleep(outcome.recheckAfterSeconds)
      return ended(outcome)
    }
    if (outcome.next === 'wait') {
      tools.waiting(outcome)
      await tools.sleep(pauseFor(outcome, tools.leaseSeconds))
    }
  }
}

interface Decided {
  policy: Policy
  outcome: Outcome
  /** How often in a row it was held. */
  held: number
}

/** A rollout that this process carries out goes on, gets another target, or is held; any other one may begin. */
const decideAgain = async (
  tools: SyncTools & StepTools,
  look: AssessedCluster,
  { policy, outcome, held }: Decided,
): Promise<'step' | Look | Wait | SyncResult> => {
  const rollout = rolloutIn(look.state)
  // A halt that was interrupted while it restored its nodes is finished first.
  if (hasRescue(rollout)) return 'step'
  // Somebody stopped what this process began, perhaps while it was held: no other rollout begins for the same command.
  if (tools.decided !== undefined && rollout && rollout.state !== 'running') return 'step'
  const isOurs = rollout?.state === 'running' && valueOf(look.state.rollout)?.holder === tools.holder
  const isAsked = outcome.next === 'look'
  if (!isOurs && !isAsked) return 'step'
  const intent = intentOf(look.assessment, look.state, policy)
  const why = reasonOf(look, intent)
  const seconds = heldPauses[held]
  if (isOurs && seconds !== undefined && mayPass(look, intent)) return hold(tools, { next: 'wait', seconds, why }, held)
  // Nothing is left to restart, and its nodes are still watched.
  if (isOurs && !isAsked && intent.blockedBy.length === 0 && isNothing(intent) && rollout.phase === 'restarts')
    return 'step'
  const beginning = await beginOrLook(tools, look, {
    policy,
    outdated: outcome.next === 'look' ? outcome.outdated : undefined,
  })
  if ('next' in beginning) return beginning
  if (!beginning.begun) {
    if (!isOurs) return notBegun(beginning)
    if (beginning.reason !== 'blocked') return released(tools, notBegun(beginning))
    const end = await observeToTheEnd(tools, look, why)
    return end ? ended(end) : released(tools, { ...notBegun(beginning), why })
  }
  tools.decided = beginning.decided
  if (isOurs && isWithdrawn(beginning.rollout) && !isWithdrawn(rollout))
    tools.tell({ what: 'nothing more is written; our overrides are taken off', why: 'its reason no longer exists' })
  return 'step'
}

const released = async (tools: StepTools, result: ReturnType<typeof notBegun>): Promise<SyncResult> => {
  await release(tools)
  return { ...result, begun: true }
}

const isWithdrawn = ({ phase, target }: Rollout): boolean => phase === 'range' && target === undefined

/** Seconds between the looks while it is held: five minutes in all, after which the deployment tells people, too. */
const heldPauses = [5, 10, 20, 40, 80, 160]

const hold = ({ tell, waiting }: SyncTools, wait: Wait, held: number): Wait => {
  if (held === 0) tell({ what: 'the rollout waits, and touches no further node', why: wait.why })
  waiting(wait)
  return wait
}

/**
 * A node in progress is observed while the rollout is held, and restored where it must be: a change may wait for the very node
 * that our value broke. No other node is touched, and no override is taken off because its reason is gone.
 */
const observeMeanwhile = async (
  tools: SyncTools & StepTools,
  { state }: AssessedCluster,
  { seconds, why, isLast }: Hold & { isLast?: true },
): Promise<Over | undefined> => {
  const rollout = rolloutIn(state)
  const objects = valueOf(state.felix)?.objects ?? []
  const now = tools.now().getTime()
  let isObserved = rollout !== undefined && !isWithdrawn(rollout) && isWatched({ rollout, now }, objects, tools.policy)
  for (let left = seconds; left > 0 && !tools.interrupted(); ) {
    if (isLast && !isObserved) return undefined
    const outcome = isObserved ? await stepUntouching(tools, { seconds, why }) : undefined
    if (outcome?.next === 'over') {
      if (outcome.recheckAfterSeconds !== undefined) await tools.sleep(outcome.recheckAfterSeconds)
      return outcome
    }
    if (outcome?.next === 'now') continue
    isObserved &&= outcome?.next === 'wait'
    const pause = Math.min(left, tools.leaseSeconds / 6)
    await tools.sleep(pause)
    left -= pause
  }
  return undefined
}

/** The rollout must stop, but a node in progress is observed until it is well, or until its deadline. */
const observeToTheEnd = (tools: SyncTools & StepTools, look: AssessedCluster, why: string) => {
  const { canarySeconds, nodeDeadlineSeconds } = tools.policy
  return observeMeanwhile(tools, look, { seconds: nodeDeadlineSeconds + 2 * canarySeconds, why, isLast: true })
}

/** An API server that is being replaced may deny what it allows. The answer is undefined where only another node is left to touch. */
const stepUntouching = async (tools: StepTools, hold: Hold): Promise<Outcome | undefined> => {
  const { kube, now } = tools
  try {
    return await takeStep({ ...tools, kube: fenced(kube, now, async () => hold), rescue: kube, unbraked: kube })
  } catch (error) {
    if (error instanceof HeldError) return undefined
    if (error instanceof KubeError) return { next: 'wait', ...hold }
    throw error
  }
}

/** The cluster changes, or what the decision needs does not answer. */
const mayPass = ({ state, assessment }: AssessedCluster, { blockedBy }: Intent): boolean =>
  blockedBy.length > 0 &&
  !blockedBy.includes('CLUSTER_IDENTITY') &&
  (['changing', 'unknown'].includes(assessment.report.verdict) ||
    blockedBy.includes('RANGE_ASSUMED') ||
    failureOf(state.eks) !== undefined)

/** For people: why it may not go on. */
const reasonOf = ({ state, assessment }: AssessedCluster, { blockedBy }: Intent): string => {
  const unread = blockedBy.includes('RANGE_ASSUMED') ? (failureOf(state.eks) ?? state.probeFailure) : undefined
  const found = assessment.report.findings.find(({ code }) => code === blockedBy[0])
  return unread?.message ?? found?.message ?? 'something forbids it'
}

/** An observation costs a tenth of the time at most, and none is older than this where something is written after it. */
const oldestLook = 30_000
const newestLook = 1_000

const looksOf = ({ look, now, leaseSeconds }: SyncTools) => {
  let [at, took, steps] = [0, 0, 0]
  const isOver = (outcome: Outcome): boolean =>
    outcome.next === 'now' ||
    (outcome.next === 'wait' && outcome.outdated === undefined && pauseFor(outcome, leaseSeconds) === outcome.seconds)
  return {
    look: async (): Promise<AssessedCluster> => {
      const begun = now().getTime()
      const looked = await look()
      at = now().getTime()
      took = at - begun
      steps = 0
      return looked
    },
    stepped: () => void (steps += 1),
    areBehind: () => steps > 0,
    areDue: (outcome: Outcome): boolean =>
      isOver(outcome) && Math.abs(now().getTime() - at) >= Math.min(oldestLook, Math.max(newestLook, 10 * took)),
  }
}

/** What changed while it began is looked at again. */
const beginOrLook = async (
  tools: StepTools,
  look: AssessedCluster,
  { policy, outdated }: { policy: Policy; outdated: number | undefined },
): Promise<Beginning | Look> => {
  try {
    return await beginRollout(tools, look, policy)
  } catch (error) {
    return { next: 'look', ...readAgain(error, outdated) }
  }
}

const notBegun = ({ reason, why, blockedBy }: NotBegun): Extract<SyncResult, { blockedBy: string[] }> => ({
  end: reason === 'nothing-to-do' ? reason : 'blocked',
  why,
  blockedBy,
})

const ended = ({ state, why }: Over): SyncResult => {
  switch (state) {
    case 'done':
      return { end: 'done', why }
    case 'halted':
      return { end: 'halted', why }
    case 'running':
    case 'paused':
    case 'aborting':
    case 'aborted':
    case 'none':
      return { end: 'stopped', why }
  }
}

/** The rollout does not change, and the next process need not wait for the Lease to expire. */
const interrupted = async (tools: SyncTools): Promise<SyncResult> => {
  await release(tools)
  return { end: 'interrupted', why: 'interrupted; `sync` continues where it stopped' }
}
