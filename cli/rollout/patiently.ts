import { isTemporary, KubeError } from '../../shared/errors.ts'
import { longestPause, type StepEvent } from '../../shared/workflows/rollout/tools.ts'
import type { ProgressOutput } from '../progress.ts'
import type { Interruption } from './interruption.ts'

/** Seconds between the tries; more if the server asks for it, up to `longestPause`. */
const patience = [1, 2, 5, 10, 20, 30]

interface Trying {
  telling: ProgressOutput
  interruption: Interruption
  /** How much was done so far: every wait and every effect counts. */
  done: () => number
}

/**
 * An API server that is away for a moment (EKS replaces them) does not end the work: every step reads the cluster again. What
 * was done in between makes up for earlier trouble, so that hours of work do not end at the seventh broken connection.
 */
export const patiently = async <T>(act: () => Promise<T>, { telling, interruption, done }: Trying): Promise<T> => {
  for (let tried = 0; ; tried += 1) {
    const before = done()
    try {
      return await act()
    } catch (error) {
      if (done() !== before) tried = 0
      const least = patience[tried]
      if (!(error instanceof KubeError) || !isTemporary(error) || interruption.came() || least === undefined)
        throw error
      const seconds = Math.min(longestPause, Math.max(least, Math.ceil(error.retryAfterSeconds ?? 0)))
      telling.done(`${error.message}; trying again in ${seconds} s`)
      await interruption.sleep(seconds)
    }
  }
}

/** Tools that count what is done with them. */
export const counting = <T extends { tell: (event: StepEvent) => void }>(
  tools: T,
): { tools: T; count: (waited?: { outdated?: number }) => void; done: () => number } => {
  let done = 0
  // A server that refuses each time does not get time without end for it.
  const count = ({ outdated }: { outdated?: number } = {}) => void (done += outdated === undefined ? 1 : 0)
  const tell = (event: StepEvent) => {
    count()
    tools.tell(event)
  }
  return { tools: { ...tools, tell }, count, done: () => done }
}
