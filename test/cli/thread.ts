import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

// As the launcher does it.
enableCompileCache(String(workerData))
const { run } = await import('../../cli/main.ts')

interface Asked {
  id: number
  words: string[]
}

const kept = { stdout: '', stderr: '' }

for (const name of ['stdout', 'stderr'] as const)
  process[name].write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    kept[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    for (const it of more) if (typeof it === 'function') queueMicrotask(() => it())
    return true
  }

const answer = async ({ id, words }: Asked): Promise<void> => {
  Object.assign(kept, { stdout: '', stderr: '' })
  const status = await run(words)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage({ id, status, signal: null, ...kept })
}

let all = Promise.resolve()
parentPort?.on('message', (asked: Asked) => {
  all = all.then(() => answer(asked))
})
