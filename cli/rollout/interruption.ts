import { setTimeout as pause } from 'node:timers/promises'
import { exitStatus } from '../exit-status.ts'
import type { ProgressOutput } from '../progress.ts'

export interface Interruption {
  came: () => boolean
  /** Ends early at a signal. */
  sleep: (seconds: number) => Promise<void>
  forget: () => void
}

/**
 * The first Ctrl-C (or TERM, or the end of the terminal) ends the work after the write under way; a second Ctrl-C ends the process
 * at once. A closed terminal may signal twice: the kernel signals the process group, and the parent process this one.
 */
export const watchInterrupts = (telling: ProgressOutput): Interruption => {
  const stop = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const on = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) {
      if (signal === 'SIGINT') process.exit(exitStatus.failed)
      return
    }
    stop.abort()
    telling.done('interrupted: finishing the current step; press Ctrl-C again to end at once')
  }
  for (const signal of signals) process.on(signal, on)
  return {
    came: () => stop.signal.aborted,
    sleep: (seconds) => pause(seconds * 1000, undefined, { signal: stop.signal }).catch(() => undefined),
    forget: () => signals.forEach((signal) => process.off(signal, on)),
  }
}
