import type { Policy } from '../../domain/policy/policy.ts'
import { type AssessedCluster, type Beginning, beginRollout, type NotBegun } from './begin.ts'
import { rolloutIn } from '../../domain/rollout/parse.ts'
import { hasRescue } from '../../domain/rollout/rollout.ts'
import { readAgain } from '../../errors.ts'
import { release } from './lease.ts'
import { takeStep } from './step.ts'
import { type Outcome, outdatedAfter, pauseFor, type StepTools } from './tools.ts'

export interface SyncTools extends Omit<StepTools, 'policy' | 'decided'> {
  /** Observes the whole cluster. */
  look: () => Promise<AssessedCluster>
  /** Resolves early when the user interrupts. */
  sleep: (seconds: number) => Promise<void>
  /** Called before every wait, for a progress line. */
  waiting: (outcome: Extract<Outcome, { next: 'wait' }>) => void
  interrupted: () => boolean
}

export type SyncResult =
  | { end: 'nothing-to-do' | 'blocked'; why: string; blockedBy: string[] }
  | { end: 'done' | 'halted' | 'stopped' | 'interrupted'; why: string }

/**
 * A loop instead of the queue: the same steps as in the Lambda functions, in one process, which sleeps during waits.
 */
export const sync = async (given: SyncTools, policy: Policy): Promise<SyncResult> => {
  const tools: SyncTools & StepTools = { ...given, policy }
  let outcome: Outcome = { next: 'look', why: 'to begin with' }
  for (;;) {
    if (outcome.next === 'look') {
      const look = await tools.look()
      // A halt that was interrupted while it restored its nodes is finished first.
      if (!hasRescue(rolloutIn(look.state))) {
        const beginning = await beginOrLook(tools, look, { policy, outdated: outcome.outdated })
        if ('next' in beginning) {
          outcome = beginning
          continue
        }
        if (!beginning.begun) return notBegun(beginning)
        tools.decided = beginning.decided
      }
    }
    if (tools.interrupted()) return interrupted(tools)
    outcome = await takeStep(tools, outdatedAfter(outcome, tools.leaseSeconds))
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

type Look = Extract<Outcome, { next: 'look' }>

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

const notBegun = ({ reason, why, blockedBy }: NotBegun): SyncResult => ({
  end: reason === 'nothing-to-do' ? reason : 'blocked',
  why,
  blockedBy,
})

const ended = ({ state, why }: Extract<Outcome, { next: 'over' }>): SyncResult => {
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
