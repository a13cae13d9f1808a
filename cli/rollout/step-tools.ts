import { hostname, userInfo } from 'node:os'
import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'
import { unfinishedHalt } from '../../shared/domain/rollout/progress.ts'
import { hasRescue, type Rollout } from '../../shared/domain/rollout/rollout.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { takeStep } from '../../shared/workflows/rollout/step.ts'
import {
  type Outcome,
  outdatedAfter,
  pauseFor,
  type StepEvent,
  type StepTools,
} from '../../shared/workflows/rollout/tools.ts'
import { Failure } from '../failure.ts'
import type { ProgressOutput } from '../progress.ts'
import { type Interruption, watchInterrupts } from './interruption.ts'

interface Finishing {
  telling: ProgressOutput
  /** The command that continues where it was interrupted. */
  again: string
  interruption?: Interruption
}

/**
 * Finishes a halt that was interrupted before its nodes had their former values. Waits if another process is doing
 * so. The answer is what it waited for in vain. Throws if a person interrupts it, after the write under way.
 */
export const finishHalt = async (
  kube: KubeClient,
  { telling, again, interruption = watchInterrupts(telling) }: Finishing,
): Promise<string | undefined> => {
  const tools = stepTools(kube, telling)
  let outcome: Outcome = { next: 'now' }
  try {
    for (let waits = 0; !interruption.came(); ) {
      outcome = await takeStep(tools, outdatedAfter(outcome, tools.leaseSeconds))
      if (outcome.next === 'now') continue
      if (outcome.next !== 'wait' || waits === waitsAtMost) break
      waits += 1
      tellWait(telling, outcome)
      await interruption.sleep(pauseFor(outcome, tools.leaseSeconds))
    }
    if (interruption.came()) {
      await release(tools)
      throw new Failure('Undoing what the halt left was interrupted.', `${again}   # continues where it stopped`)
    }
  } finally {
    interruption.forget()
  }
  return outcome.next === 'wait' ? outcome.why : undefined
}

/** What such a halt has still to undo; nothing where another process was done with it. */
export const haltLeft = (rollout: Rollout | undefined, waited: string): string | undefined =>
  hasRescue(rollout)
    ? `waited long enough (${waited}). Not all that the halt has to undo is undone: ${unfinishedHalt(rollout.rollback, rollout.evidence)}.`
    : undefined

/** Longer than the Lease of a process that died. */
const waitsAtMost = 8

/** Our name in the Lease and in the journal. */
export const holder = (): string => `${userName()}@${hostname()} process ${process.pid}`

const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container's user may have no name.
    return String(process.getuid?.() ?? 'somebody')
  }
}

/** The clients and settings of a rollout in this process, with a line of progress for each effect. */
export const stepTools = (kube: KubeClient, telling: ProgressOutput): StepTools => ({
  kube,
  policy: defaultPolicy,
  holder: holder(),
  // The next process waits this long for a holder that died.
  leaseSeconds: 60,
  now: () => new Date(),
  tell: (event) => telling.done(eventText(event)),
})

/** The reason of a halt begins with its node, which is not named twice. */
export const eventText = ({ what, node, object, why }: StepEvent): string => {
  const isNamed = node !== undefined && why?.startsWith(`${node}: `)
  const subject = isNamed ? undefined : node === undefined ? object : `node ${node}`
  return `${subject === undefined ? '' : `${subject}: `}${what}${why === undefined ? '' : ` (${why})`}`
}

export const tellWait = (telling: ProgressOutput, { seconds, why }: Extract<Outcome, { next: 'wait' }>): void =>
  telling.doing(`waiting ${seconds} s: ${why}`)
