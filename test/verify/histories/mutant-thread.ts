import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { Mutant } from './mutant.ts'

export interface Hunt {
  mutant: Mutant
  seeds: number
}

/** `seeds`: how many it took; absent: it was not found. */
export interface Hunted {
  seeds?: number
  invariant?: string
}

const { mutant, seeds } = workerData as Hunt

const changed = (): string => {
  const file = new URL(`../../../${mutant.file}`, import.meta.url)
  const [before, after, ...more] = readFileSync(fileURLToPath(file), 'utf8').split(mutant.from)
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${mutant.file} does not have exactly once: ${mutant.from}`)
  return before + mutant.to + after
}

const source = changed()
registerHooks({
  load: (url, context, next) =>
    url.endsWith(`/${mutant.file}`) ? { format: 'module-typescript', source, shortCircuit: true } : next(url, context),
})

const { play } = await import('./history.ts')

const hunt = async (): Promise<Hunted> => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const [fall] = (await play(seed)).falls
    if (fall) return { seeds: seed, invariant: fall.invariant }
  }
  return {}
}

const hunted = await hunt()
// The rule speaks of windows in a browser.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(hunted)
