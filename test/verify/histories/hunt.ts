import type { Hunt, Hunted } from './mutant-thread.ts'
import { mutants } from './mutants.ts'
import { answerOf } from './threads.ts'

/** `seeds`: how many were played until an invariant fell; absent: none fell in as many as there were. */
export interface Hunts {
  most: number
  found: number
  mutants: ({ name: string } & Hunted)[]
}

/** How many seeds each mutant needs until an invariant falls, with as many mutants at one time as there are cores. */
export const hunt = async (
  say: (text: string) => void,
  { most, only, cores }: { most: number; only?: string | undefined; cores: number },
): Promise<Hunts> => {
  const chosen = mutants.filter(({ name }) => only === undefined || name.includes(only))
  const left = [...chosen]
  const results = new Map<string, Hunted>()
  const work = async (): Promise<void> => {
    for (let mutant = left.shift(); mutant; mutant = left.shift()) {
      const { name } = mutant
      const hunted = await answerOf<Hunted>('mutant-thread.ts', { mutant, seeds: most } satisfies Hunt)
      results.set(name, hunted)
      const { seeds, invariant } = hunted
      say(seeds === undefined ? `not found in ${most}: ${name}` : `seed ${seeds}: ${name} (${invariant})`)
    }
  }
  await Promise.all(Array.from({ length: cores }, work))
  const hunts = chosen.map(({ name }) => ({ name, ...results.get(name) }))
  const found = hunts.filter(({ seeds }) => seeds !== undefined).length
  say(`${found} of ${chosen.length} mutants are found`)
  return { most, found, mutants: hunts }
}
