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

/** With the signal that ends each. */
const running = new Map<ChildProcess, NodeJS.Signals>()

/**
 * Starts a program that does not outlive this process: not its end, not Ctrl-C, and on Linux (by kubelab's own doing)
 * not SIGKILL.
 */
export function startProcess({ name, command, args, logFile, env = {} }: ProcessRequest): LabProcess {
  const log = openSync(logFile, 'a')
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    // A sixth of the API server's time would be spent on collecting little garbage often.
    env: { GOGC: '400', ...process.env, KUBELAB_PARENT: `${process.pid}`, ...env },
  })
  closeSync(log)
  const gone = endWithThisProcess(child, 'SIGKILL')
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

/** The signal is sent where this process ends first, by Ctrl-C or another signal too. Resolves when the child is gone. */
export function endWithThisProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  prepare()
  running.set(child, signal)
  return new Promise<void>((resolve) => {
    const end = (): void => {
      running.delete(child)
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
}

let prepared = false

function prepare(): void {
  if (prepared) return
  prepared = true
  const endAll = (): void => {
    for (const [child, signal] of running) child.kill(signal)
  }
  process.on('exit', endAll)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // First in line, so that listeners that are called once are still counted.
    process.prependOnceListener(signal, () => {
      // Another listener of the signal wants to end the process in its own way; then this handler does not end it.
      if (process.listenerCount(signal) > 0) return
      endAll()
      process.kill(process.pid, signal)
    })
  }
}
