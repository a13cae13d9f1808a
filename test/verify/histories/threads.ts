import { Worker } from 'node:worker_threads'
import type { CoveredRun } from './coverage-thread.ts'
import type { Run } from './run.ts'
import { emptySummary, merge, type Summary } from './summary.ts'

/** What a thread answers, once. */
export const answerOf = <T>(file: string, workerData: object): Promise<T> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(file, import.meta.url), { workerData })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`${file} ended with ${code} and no answer`)))
  })

export interface Many {
  from: number
  seeds: number
  /** Milliseconds since 1970: no history begins later. */
  until: number
  cores: number
}

/** Plays the histories of many seeds, on several cores. */
export const runMany = async ({ from, seeds, until, cores }: Many): Promise<Summary> => {
  const began = Date.now()
  const parts = Array.from({ length: cores }, (_, core): Run => {
    return { from: from + core, seeds: seeds - core, step: cores, until }
  })
  const summary = emptySummary()
  const run = (part: Run) => answerOf<Summary>('worker-thread.ts', part)
  for (const part of await Promise.all(parts.map(run))) merge(summary, part)
  summary.seconds = secondsSince(began)
  return summary
}

/** On one core, because branches are counted by each thread alone. */
export const runCovered = async ({ from, seeds, until }: Omit<Many, 'cores'>): Promise<CoveredRun> => {
  const began = Date.now()
  const run = await answerOf<CoveredRun>('coverage-thread.ts', { from, seeds, step: 1, until } satisfies Run)
  run.summary.seconds = secondsSince(began)
  return run
}

const secondsSince = (began: number): number => Math.round((Date.now() - began) / 1000)
