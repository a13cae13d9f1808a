/** The controllers' clock: it stands still while the API server is away, as controllers do then. */
export interface Timers {
  soon(work: () => void): void
  after(milliseconds: number, work: () => void): void
  pause(): void
  resume(): void
  stop(): void
}

export function createTimers(): Timers {
  let isPaused = false
  let isStopped = false
  let waiting: (() => void)[] = []
  const running = new Set<NodeJS.Timeout>()
  const run = (work: () => void) => {
    if (isStopped) return
    if (isPaused) waiting.push(work)
    else work()
  }
  return {
    soon: (work) => void setImmediate(() => run(work)),
    after(milliseconds, work) {
      if (milliseconds <= 0) return void setImmediate(() => run(work))
      const timer = setTimeout(() => {
        running.delete(timer)
        run(work)
      }, milliseconds)
      running.add(timer)
    },
    pause() {
      isPaused = true
    },
    resume() {
      isPaused = false
      for (const work of waiting.splice(0)) setImmediate(() => run(work))
    },
    stop() {
      isStopped = true
      waiting = []
      for (const timer of running) clearTimeout(timer)
    },
  }
}
