import { hostname, userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Look } from '../shared/workflows/begin-rollout.ts'
import type { StepEvent } from '../shared/workflows/rollout-step.ts'
import { sync, type SyncResult, type SyncTools } from '../shared/workflows/sync.ts'
import { KubeError } from '../shared/errors.ts'
import { exitStatus } from './exit-status.ts'
import { Failure } from './failure.ts'
import type { Progress } from './progress.ts'
import { look } from './target.ts'
import type { Undertaking } from './sync-run.ts'

export interface End {
  status: number
  /** For people; empty where the final report says all there is to say. */
  why: string
}

/** The rollout in this process, with a line per step. Throws where the API server stays away or refuses. */
export const rollOut = async (it: Undertaking): Promise<End> => {
  const interruption = watchInterrupts(it.telling)
  try {
    const tools = toolsOf(it, interruption)
    return endOf(await patiently(() => sync(tools, it.policy), it.telling, interruption))
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    throw new Failure(`The rollout stopped: ${error.message}`, 'calico-ipvs-sync sync, which goes on where it stopped')
  } finally {
    interruption.forget()
  }
}

const toolsOf = (it: Undertaking, interruption: Interruption): SyncTools => ({
  kube: it.kube,
  holder: `${userInfo().username}@${hostname()} process ${process.pid}`,
  // A holder that died is waited out for this long by whoever goes on.
  leaseSeconds: 60,
  now: () => new Date(),
  look: looks(it),
  sleep: interruption.sleep,
  tell: (event) => it.telling.done(eventText(event)),
  waiting: ({ seconds, why }) => it.telling.doing(`waiting ${seconds} s: ${why}`),
  interrupted: interruption.came,
})

/**
 * To begin with, what was just seen is fresh enough, unless somebody thought about it in between: then the plan must
 * still be the one agreed to. Later looks are after trouble on the way, where only what is there now counts.
 */
const looks = ({ target, looked, plan, policy, options }: Undertaking): (() => Promise<Look>) => {
  let first = true
  return async () => {
    const begins = first
    first = false
    if (begins && options.yes) return looked
    const again = await look(target, policy)
    if (begins && !isDeepStrictEqual(again.plan(), plan))
      throw new Failure('The cluster has changed since the question; nothing was written.', 'calico-ipvs-sync sync')
    return again
  }
}

const eventText = ({ what, node, object, why }: StepEvent): string => {
  const subject = node === undefined ? object : `node ${node}`
  return `${subject === undefined ? '' : `${subject}: `}${what}${why === undefined ? '' : ` (${why})`}`
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
      return { status: exitStatus.failed, why: result.why }
  }
}

const patience = [1, 2, 5, 10, 20, 30]

/** An API server that is away for a moment (EKS replaces them) ends nothing: every step looks afresh. */
const patiently = async (
  act: () => Promise<SyncResult>,
  telling: Progress,
  interruption: Interruption,
): Promise<SyncResult> => {
  for (const seconds of patience) {
    try {
      return await act()
    } catch (error) {
      if (!isPassing(error) || interruption.came()) throw error
      telling.done(`${error.message}; trying again in ${seconds} s`)
      await interruption.sleep(seconds)
    }
  }
  return act()
}

const isPassing = (error: unknown): error is KubeError =>
  error instanceof KubeError && (error.kind === 'unreachable' || error.kind === 'unavailable')

interface Interruption {
  came: () => boolean
  sleep: (seconds: number) => Promise<void>
  forget: () => void
}

/** The first Ctrl-C (or TERM) ends the rollout after the write under way; a second one ends the process at once. */
const watchInterrupts = (telling: Progress): Interruption => {
  const stop = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const on = () => {
    if (stop.signal.aborted) process.exit(exitStatus.failed)
    stop.abort()
    telling.done('interrupted: finishing the step under way; once more ends at once')
  }
  for (const signal of signals) process.on(signal, on)
  return {
    came: () => stop.signal.aborted,
    sleep: (seconds) => pause(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined),
    forget: () => signals.forEach((signal) => process.off(signal, on)),
  }
}
