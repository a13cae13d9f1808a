import { parentPort, workerData } from 'node:worker_threads'
import { branchesTaken, countBranches, type Covered } from './coverage.ts'
import type { Run } from './run.ts'
import type { Summary } from './summary.ts'

export interface CoveredRun {
  summary: Summary
  covered: Covered[]
}

countBranches()
// Loads the product, whose modules must not have been loaded before.
const { run } = await import('./run.ts')
const summary = await run(workerData as Run)
const answer: CoveredRun = { summary, covered: branchesTaken() }
// The rule speaks of windows in a browser.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(answer)
