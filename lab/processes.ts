import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'

/** A program of the lab, running. */
export interface LabProcess {
  readonly name: string
  readonly pid: number
  readonly logFile: string
  isGone(): boolean
  /** SIGKILL, and waits until it is gone: nothing of a lab needs to be wound up in order. */
  kill(): Promise<void>
}

export interface ProcessRequest {
  name: string
  command: string
  args: string[]
  /** Appended to, so that a restarted program's log goes on. */
  logFile: string
  env?: Record<string, string>
}

const running = new Set<ChildProcess>()

/**
 * Starts a program that does not outlive this process: not its end, not Ctrl-C, and on Linux (by kubelab's own doing)
 * not SIGKILL.
 */
export function startProcess({ name, command, args, logFile, env = {} }: ProcessRequest): LabProcess {
  endWithThisProcess()
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    // A sixth of the API server's time would be spent on collecting little garbage often.
    env: { GOGC: '400', ...process.env, KUBELAB_PARENT: `${process.pid}`, ...env },
  })
  closeSync(log)
  running.add(child)
  const gone = new Promise<void>((resolve) => {
    const end = (): void => {
      running.delete(child)
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    isGone: () => !running.has(child),
    kill: () => {
      child.kill('SIGKILL')
      return gone
    },
  }
}

/**
 * Calls `ready` until it answers true. Throws with the last lines of the log when the process ends first, or after the time, in
 * milliseconds.
 */
export async function untilReady(started: LabProcess, ready: () => Promise<boolean>, time = 60_000): Promise<void> {
  for (const deadline = Date.now() + time; !(await ready().catch(() => false)); ) {
    if (started.isGone()) throw new Error(`${started.name} ended before it was ready. ${lastLines(started.logFile)}`)
    if (Date.now() > deadline)
      throw new Error(`${started.name} is not ready after ${time} ms. ${lastLines(started.logFile)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

export function lastLines(file: string, count = 12): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return `The end of ${file}:\n${lines.slice(-count).join('\n')}`
}

let prepared = false

function endWithThisProcess(): void {
  if (prepared) return
  prepared = true
  const killAll = (): void => {
    for (const child of running) child.kill('SIGKILL')
  }
  process.on('exit', killAll)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // First in line, so that listeners that are called once are still counted.
    process.prependOnceListener(signal, () => {
      // Another listener of the signal wants to end the process in its own way; then this handler does not end it.
      if (process.listenerCount(signal) > 0) return
      killAll()
      process.kill(process.pid, signal)
    })
  }
}
