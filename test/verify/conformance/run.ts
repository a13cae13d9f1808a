import fc from 'fast-check'
import { compare, comparePattern, compareSelector, resolveOurs } from './compare.ts'
import { configuration } from './generate.ts'
import { labels, selectorText } from './generate-selectors.ts'
import { expression } from './generate-texts.ts'
import type { Oracle } from './oracle.ts'
import { differences, readVectors, versionsOf } from './vectors.ts'

export interface Tally {
  total: number
  agree: number
}

/** A tally with the first cases that differ, each in a few lines. */
export interface Compared extends Tally {
  differing: string[]
}

export interface RunOptions {
  /** Generated configurations; of patterns and selectors twice as many each. */
  runs: number
  /** The same seed gives the same cases. */
  seed: number
}

const shown = 5

export function compareVectors(): Compared {
  const answers = readVectors().map((vector) => {
    const lines = versionsOf(vector).flatMap((version) => differences(vector, version).map((it) => `${version} ${it}`))
    return lines.map((line) => `${vector.name}: ${line}`)
  })
  return tally(answers)
}

function tally(answers: string[][]): Compared {
  const differing = answers.filter((lines) => lines.length > 0)
  return {
    total: answers.length,
    agree: answers.length - differing.length,
    differing: differing.slice(0, shown).map((lines) => lines.join('\n')),
  }
}

/** Asks the oracle and us the same of every case; `differ` gives in which respects the answers differ. */
async function compareCases<T>(
  cases: fc.Arbitrary<T>,
  differ: (it: T) => Promise<string[]>,
  { runs, seed }: RunOptions,
): Promise<Compared> {
  const answers = await Promise.all(fc.sample(cases, { numRuns: runs, seed }).map(differ))
  const compared = tally(answers)
  return compared.differing.length === 0
    ? compared
    : { ...compared, differing: [await shrink(cases, differ, { runs, seed })] }
}

/** The smallest case that still differs, printed so that it can be read. */
async function shrink<T>(
  cases: fc.Arbitrary<T>,
  differ: (it: T) => Promise<string[]>,
  { runs, seed }: RunOptions,
): Promise<string> {
  const property = fc.asyncProperty(cases, async (it) => (await differ(it)).length === 0)
  const found = await fc.check(property, { numRuns: runs, seed })
  const smallest = found.counterexample?.[0]
  if (smallest === undefined || smallest === null) return `a case differs that cannot be made again with seed ${seed}`
  const lines = await differ(smallest)
  return [JSON.stringify(smallest, null, 2), ...lines].join('\n')
}

export type Ours = typeof resolveOurs

export const compareConfigurations = (
  oracle: Oracle,
  options: RunOptions,
  ours: Ours = resolveOurs,
): Promise<Compared> => compareCases(configuration, async (it) => compare(ours(it), await oracle.resolve(it)), options)

const interfaces = fc.constantFrom('kube-ipvs0', 'KUBE-IPVS0', 'veth0', 'lo', '')

export const comparePatterns = (oracle: Oracle, options: RunOptions): Promise<Compared> =>
  compareCases(
    fc.tuple(expression, interfaces),
    async ([pattern, text]) => comparePattern(pattern, text, await oracle.pattern(pattern, text)),
    options,
  )

export const compareSelectors = (oracle: Oracle, options: RunOptions): Promise<Compared> =>
  compareCases(
    fc.tuple(selectorText, labels),
    async ([text, of]) => compareSelector(text, of, await oracle.selector(text, of)),
    options,
  )
