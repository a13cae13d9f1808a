import { isDeepStrictEqual } from 'node:util'
import type { AssessedCluster } from '../../shared/workflows/rollout/begin.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { sync, type SyncResult, type SyncTools } from '../../shared/workflows/rollout/sync.ts'
import { isTemporary, KubeError } from '../../shared/errors.ts'
import { failureOf } from '../../shared/domain/read.ts'
import { needed } from '../../shared/workflows/needed.ts'
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
  const steps = stepsOf(it.plan, it.telling)
  const { tools, count, done } = counting({ ...toolsOf(it, interruption), ...steps })
  const next = `${commandFor('sync', it.target, asPlanned(it))}   # continues where it stopped`
  const waiting: SyncTools['waiting'] = (outcome) => {
    count(outcome)
    tools.waiting(outcome)
  }
  try {
    const syncing = { ...tools, look: assessing(it, () => done() > 0), waiting }
    const result = await patiently(() => sync(syncing, it.policy), { telling: it.telling, interruption, done })
    return endOf(result, { isTold: !it.options.quiet && steps.hasPrinted(result.why), next })
  } catch (error) {
    // Whoever continues it need not wait until the Lease expires.
    await release(tools).catch(() => undefined)
    if (!(error instanceof KubeError)) throw error
    throw new Failure(`The rollout stopped: ${error.message}`, next)
  } finally {
    interruption.forget()
  }
}

/** A plan file has settings of its own; after a part of it was done, it is refused. */
export const asPlanned = ({ options, policy }: Pick<SyncRun, 'options' | 'policy'>): SyncOptions => ({
  ...options,
  ...policy,
  nodeDeadline: policy.nodeDeadlineSeconds,
})

const toolsOf = (it: SyncRun, interruption: Interruption): Omit<SyncTools, 'look' | 'waiting'> => ({
  ...stepTools(it.kube, it.telling),
  sleep: interruption.sleep,
  interrupted: interruption.came,
})

/**
 * The first look uses the observation that was just made, unless a person was asked in between. Later looks follow trouble on
 * the way, and waits, and observe the cluster again. Until something is done, the plan must still be the one that was agreed to:
 * by the answer, or as a file. Afterwards, no other range than that one is written.
 */
const assessing = (
  { target, looked, plan, policy, options }: SyncRun,
  isBegun: () => boolean,
): (() => Promise<AssessedCluster>) => {
  const isAgreed = !options.yes || options.plan !== undefined
  let first = true
  return async () => {
    const isJustSeen = first && options.yes === true
    first = false
    if (isJustSeen) return looked
    const again = await assessTarget(target, policy, !isBegun())
    mustAnswer(again)
    if (isAgreed && isBegun() && isAnotherRange(again, looked))
      throw new Failure(
        `The plan that was agreed to writes another range than is wanted now (${rangeIn(looked)} then, ${rangeIn(again)} now); no further node was changed.`,
        commandFor('sync', target, asPlanned({ options, policy })),
      )
    if (isAgreed && !isBegun() && !isDeepStrictEqual(again.plan(), plan))
      throw new Failure(
        'The cluster has changed since its plan was agreed to; no node was changed.',
        commandFor('sync', target, asPlanned({ options, policy })),
      )
    return again
  }
}

/** Where nothing is to be written, or overrides are only taken off, no other range is. */
const isAnotherRange = (now: AssessedTarget, then: AssessedTarget): boolean =>
  rangeIn(now) !== rangeIn(then) && now.plan().changes.some(({ action }) => action === 'create' || action === 'patch')

const rangeIn = ({ report: { desiredRange = [] } }: AssessedTarget): string => desiredRange.join(',')

/** An API server that is away for a moment neither changes nor forbids anything: throws `ReadError`, and it is asked again. */
const mustAnswer = ({ state: { rollout, nodes, daemonSets, pods, felix } }: AssessedTarget): void => {
  for (const it of [rollout, nodes, daemonSets, pods, felix]) {
    const failure = failureOf(it)
    if (failure && isTemporary(failure)) needed<unknown>(it)
  }
}

/** `next`: the command that continues a rollout which had begun. */
const endOf = (result: SyncResult, { isTold, next }: { isTold: boolean; next: string }): End => {
  switch (result.end) {
    case 'done':
    case 'nothing-to-do':
      return { status: exitStatus.inStep, why: '' }
    case 'blocked':
      return {
        status: exitStatus.outOfStep,
        why: result.begun
          ? `the rollout stopped: ${result.why} (${result.blockedBy.join(' ')})\nNext: ${next}`
          : [result.why, ...result.blockedBy].join(' '),
      }
    case 'halted':
    case 'stopped':
      return { status: exitStatus.outOfStep, why: isTold ? result.end : `${result.end}: ${result.why}` }
    case 'interrupted':
      return { status: exitStatus.failed, why: 'interrupted', interrupted: true }
  }
}
