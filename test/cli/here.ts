import { Worker } from 'node:worker_threads'
import { compiled, type Ended } from './run.ts'

/**
 * As `run`, but in a thread that keeps the program loaded: a process takes half a second of CPU time to begin. Each environment has a
 * thread of its own, because the program reads credentials and endpoints once; in it commands run one after the other. For tests of what
 * a command answers and does; those of signals, pipes and of the launcher start a process.
 */
export const runHere = (words: readonly string[], { env = {} }: { env?: NodeJS.ProcessEnv } = {}): Promise<Ended> => {
  const all = { PATH: process.env['PATH'], AWS_EC2_METADATA_DISABLED: 'true', ...env }
  return threadFor(all).run(words)
}

interface Thread {
  run: (words: readonly string[]) => Promise<Ended>
  end: () => Promise<unknown>
}

/** By environment; the one that was used last comes last. */
const threads = new Map<string, Thread>()
const kept = 3

const threadFor = (env: NodeJS.ProcessEnv): Thread => {
  const key = JSON.stringify(env)
  const thread = threads.get(key) ?? start(env)
  threads.delete(key)
  threads.set(key, thread)
  const [oldest] = threads
  if (oldest && threads.size > kept) {
    threads.delete(oldest[0])
    void oldest[1].end()
  }
  return thread
}

const start = (env: NodeJS.ProcessEnv): Thread => {
  const worker = new Worker(new URL('thread.ts', import.meta.url), { env, workerData: compiled })
  worker.unref()
  const waiting = new Map<number, (ended: Ended) => void>()
  let last = 0
  const answer = (id: number, ended: Ended): void => {
    waiting.get(id)?.(ended)
    waiting.delete(id)
  }
  worker.on('message', ({ id, ...ended }: Ended & { id: number }) => answer(id, ended))
  worker.on('error', (error) => {
    for (const id of waiting.keys()) answer(id, { status: null, signal: null, stdout: '', stderr: String(error) })
  })
  const all = globalThis as { atTeardown?: Set<() => unknown> }
  all.atTeardown?.add(() => worker.terminate())
  let before: Promise<unknown> = Promise.resolve()
  return {
    run: (words) => {
      const ended = new Promise<Ended>((resolve) => {
        last += 1
        waiting.set(last, resolve)
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        worker.postMessage({ id: last, words })
      })
      before = Promise.all([before, ended])
      return ended
    },
    end: () => before.then(() => worker.terminate()),
  }
}
