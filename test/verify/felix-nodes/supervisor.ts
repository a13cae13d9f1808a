import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** One life of the process, in milliseconds since the epoch. */
export interface Life {
  pid: number
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

/** runit's own pause between two starts of what ends at once (runsv). */
const pause = 1000

/** Felix in a network namespace, started again whenever it ends, as runit does in calico-node. */
export function supervise(namespace: string, felix: string): Supervised {
  const lives: Life[] = []
  let container: { env: Record<string, string>; log: WriteStream } | undefined
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined

  const launch = (): void => {
    if (!container) return
    const { env, log } = container
    // A configuration file that is not there, as on most nodes.
    const felixes = spawn('ip', ['netns', 'exec', namespace, felix, '/nonexistent'], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const life: Life = { pid: felixes.pid ?? 0, startedAt: Date.now() }
    lives.push(life)
    child = felixes
    for (const stream of [felixes.stdout, felixes.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (!log.writableEnded) log.write(`${new Date().toISOString()} stdout F ${line}\n`)
      })
    felixes.once('exit', (code) => {
      life.endedAt = Date.now()
      if (code !== null) life.code = code
      child = undefined
      timer = setTimeout(launch, Math.max(0, life.startedAt + pause - Date.now()))
    })
  }
  return {
    lives,
    start: (env, log) => {
      container = { env, log: createWriteStream(log, { flags: 'a' }) }
      launch()
    },
    stop: async () => {
      container?.log.end()
      container = undefined
      clearTimeout(timer)
      const ending = child
      if (!ending) return
      const gone = new Promise((resolve) => ending.once('exit', resolve))
      ending.kill('SIGKILL')
      await gone
      clearTimeout(timer)
    },
  }
}
