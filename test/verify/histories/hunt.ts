import type { Hunt, Hunted } from './mutant-thread.ts'
import { mutants } from './mutants.ts'
import { answerOf } from './threads.ts'

/** How many seeds each mutant needs until an invariant falls. `false`: some were not found. */
export const hunt = async (
  say: (text: string) => void,
  { most, only }: { most: number; only?: string | undefined },
): Promise<boolean> => {
  const chosen = mutants.filter(({ name }) => only === undefined || name.includes(only))
  let found = 0
  for (const mutant of chosen) {
    const given: Hunt = { mutant, seeds: most }
    const { seeds, invariant } = await answerOf<Hunted>('mutant-thread.ts', given)
    if (seeds !== undefined) found += 1
    say(
      `${seeds === undefined ? `not found in ${most}` : `seed ${seeds}`}: ${mutant.name}${invariant ? ` (${invariant})` : ''}`,
    )
  }
  say(`${found} of ${chosen.length} mutants are found`)
  return found === chosen.length && found > 0
}
