import { spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** One life of the process, in milliseconds since the epoch. */
export interface Life {
  startedAt: number
  endedAt?: number
  /** Absent while it lives and where a signal ended it. 129: Felix ends so that another starts with the changed configuration. */
  code?: number
}

export interface Supervised {
  /** Starts a container in which Felix is kept running. `log`: its output, in the form of CRI. */
  start: (env: Record<string, string>, log: string) => void
  /** Ends the container as the kubelet does that takes a pod away. */
  stop: () => Promise<void>
  lives: readonly Life[]
}

/** A Felix that has been started, wherever that is. */
export interface RunningFelix {
  /** Resolves with its exit code, or undefined where a signal ended it. */
  ended: Promise<number | undefined>
  kill: () => void
}

export type LaunchFelix = (env: Record<string, string>, onLine: (line: string) => void) => RunningFelix

/** runit's own pause between two starts of what ends at once (runsv). */
const pause = 1000

/** Felix, started again whenever it ends, as runit does in calico-node. */
export function supervise(launch: LaunchFelix): Supervised {
  const lives: Life[] = []
  let container: { env: Record<string, string>; log: WriteStream } | undefined
  let current: RunningFelix | undefined
  let timer: NodeJS.Timeout | undefined

  const begin = (): void => {
    if (!container) return
    const { env, log } = container
    const life: Life = { startedAt: Date.now() }
    lives.push(life)
    const felix = launch(env, (line) => {
      if (!log.writableEnded) log.write(`${new Date().toISOString()} stdout F ${line}\n`)
    })
    current = felix
    const afterwards = async () => {
      const code = await felix.ended
      life.endedAt = Date.now()
      if (code !== undefined) life.code = code
      current = undefined
      timer = setTimeout(begin, Math.max(0, life.startedAt + pause - Date.now()))
    }
    void afterwards()
  }
  return {
    lives,
    start: (env, log) => {
      container = { env, log: createWriteStream(log, { flags: 'a' }) }
      begin()
    },
    stop: async () => {
      container?.log.end()
      container = undefined
      clearTimeout(timer)
      const ending = current
      if (!ending) return
      ending.kill()
      await ending.ended
      clearTimeout(timer)
    },
  }
}

/** Felix in a network namespace of this machine. */
export const launchInNamespace =
  (namespace: string, felix: string): LaunchFelix =>
  (env, onLine) => {
    // A configuration file that is not there, as on most nodes.
    const child = spawn('ip', ['netns', 'exec', namespace, felix, '/nonexistent'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
    return {
      ended: new Promise((resolve) => child.once('exit', (code) => resolve(code ?? undefined))),
      kill: () => void child.kill('SIGKILL'),
    }
  }
