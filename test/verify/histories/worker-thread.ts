import { parentPort, workerData } from 'node:worker_threads'
import { type Run, run } from './run.ts'

const summary = await run(workerData as Run)
// The rule speaks of windows in a browser.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(summary)
