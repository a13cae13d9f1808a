import { isDeepStrictEqual } from 'node:util'
import type { AssessedCluster } from '../../shared/workflows/rollout/begin.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { sync, type SyncResult, type SyncTools } from '../../shared/workflows/rollout/sync.ts'
import { KubeError } from '../../shared/errors.ts'
import { commandFor } from '../target/command-for.ts'
import { exitStatus } from '../exit-status.ts'
import { Failure } from '../failure.ts'
import { type Interruption, watchInterrupts } from '../rollout/interruption.ts'
import { counting, patiently } from '../rollout/patiently.ts'
import type { ProgressOutput } from '../progress.ts'
import { stepTools } from '../rollout/step-tools.ts'
import { stepsOf } from './steps.ts'
import type { Plan } from '../../shared/domain/report.ts'
import type { Policy } from '../../shared/domain/policy/policy.ts'
import type { SyncOptions } from '../options.ts'
import { type AssessedTarget, assessTarget, type Target } from '../target/target.ts'

export interface SyncRun {
  target: Target
  kube: NonNullable<Target['kube']>
  looked: AssessedTarget
  plan: Plan
  policy: Policy
  options: SyncOptions
  telling: ProgressOutput
}

export interface End {
  status: number
  /** For people; empty where the final report says it all. */
  why: string
  interrupted?: true
}

/** The rollout in this process, with a line per step. Throws where the API server stays away or refuses. */
export const rollOut = async (it: SyncRun): Promise<End> => {
  const interruption = watchInterrupts(it.telling)
  const { tools, count, done } = counting(toolsOf(it, interruption))
  const waiting: SyncTools['waiting'] = (outcome) => {
    count()
    tools.waiting(outcome)
  }
  try {
    const act = () => sync({ ...tools, waiting }, it.policy)
    return endOf(await patiently(act, { telling: it.telling, interruption, done }))
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    // Whoever continues it need not wait until the Lease expires.
    await release(tools).catch(() => undefined)
    throw new Failure(
      `The rollout stopped: ${error.message}`,
      `${commandFor('sync', it.target, it.options)}   # continues where it stopped`,
    )
  } finally {
    interruption.forget()
  }
}

const toolsOf = (it: SyncRun, interruption: Interruption): SyncTools => ({
  ...stepTools(it.kube, it.telling),
  ...stepsOf(it.plan, it.telling),
  look: assessing(it),
  sleep: interruption.sleep,
  interrupted: interruption.came,
})

/**
 * The first look uses the observation that was just made, unless a person was asked in between: then the cluster is observed again, and
 * the plan must still be the one that was agreed to. Later looks follow trouble on the way, and observe the cluster again.
 */
const assessing = ({ target, looked, plan, policy, options }: SyncRun): (() => Promise<AssessedCluster>) => {
  let first = true
  return async () => {
    const begins = first
    first = false
    if (begins && options.yes) return looked
    const again = await assessTarget(target, policy, true)
    if (begins && !isDeepStrictEqual(again.plan(), plan))
      throw new Failure(
        'The cluster has changed since the question; nothing was written.',
        commandFor('sync', target, options),
      )
    return again
  }
}

const endOf = (result: SyncResult): End => {
  switch (result.end) {
    case 'done':
    case 'nothing-to-do':
      return { status: exitStatus.inStep, why: '' }
    case 'blocked':
      return { status: exitStatus.outOfStep, why: [result.why, ...result.blockedBy].join(' ') }
    case 'halted':
    case 'stopped':
      return { status: exitStatus.outOfStep, why: `${result.end}: ${result.why}` }
    case 'interrupted':
      return { status: exitStatus.failed, why: 'interrupted', interrupted: true }
  }
}
