import { Worker } from 'node:worker_threads'
import type { Hunt, Hunted } from './mutant-thread.ts'
import { type Mutant, mutants } from './mutants.ts'

const huntOne = (mutant: Mutant, seeds: number): Promise<Hunted> =>
  new Promise((resolve, reject) => {
    const workerData: Hunt = { mutant, seeds }
    const worker = new Worker(new URL('mutant-thread.ts', import.meta.url), { workerData })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

/** How many seeds each mutant needs until an invariant falls. `false`: some were not found. */
export const hunt = async (
  say: (text: string) => void,
  { most, only }: { most: number; only?: string | undefined },
): Promise<boolean> => {
  const chosen = mutants.filter(({ name }) => only === undefined || name.includes(only))
  let found = 0
  for (const mutant of chosen) {
    const { seeds, invariant } = await huntOne(mutant, most)
    if (seeds !== undefined) found += 1
    say(
      `${seeds === undefined ? `not found in ${most}` : `seed ${seeds}`}: ${mutant.name}${invariant ? ` (${invariant})` : ''}`,
    )
  }
  say(`${found} of ${chosen.length} mutants are found`)
  return found === chosen.length && found > 0
}
