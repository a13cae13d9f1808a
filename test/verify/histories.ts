import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { coverageText } from './histories/coverage-text.ts'
import { play } from './histories/history.ts'
import { hunt } from './histories/hunt.ts'
import { shrink } from './histories/shrink.ts'
import { storyOf } from './histories/story.ts'
import { runCovered, runMany } from './histories/threads.ts'

/** Plays the whole deployment in virtual time, each history from a seed, with the faults that the seed draws. */

interface Options {
  seeds: number
  from: number
  seed?: number
  minutes?: number
  cores: number
  shrink?: true
  mutants?: true | string
  coverage?: true
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const one = async (seed: number, isShrunk: boolean): Promise<void> => {
  const history = await play(seed)
  const shown = isShrunk && history.falls.length > 0 ? (await shrink(history)).history : history
  say(storyOf(shown))
  if (history.falls.length > 0) process.exitCode = 1
}

const folder = join(import.meta.dirname, '../../out/histories')

const save = (name: string, what: object): void => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), `${JSON.stringify(what, null, 2)}\n`)
}

const many = async ({ seeds, from, minutes, cores, coverage }: Options): Promise<void> => {
  const until = minutes === undefined ? Infinity : Date.now() + minutes * 60_000
  const given = { from, seeds: minutes === undefined ? seeds : Infinity, until }
  const { summary, covered } = coverage
    ? await runCovered(given)
    : { summary: await runMany({ ...given, cores }), covered: [] }
  save('results.json', summary)
  say(JSON.stringify(summary, null, 2))
  if (coverage) {
    save('coverage.json', covered)
    say(coverageText(covered))
  }
  for (const { seed, invariant } of summary.failures)
    say(`${invariant} fell: npm run histories -- --seed ${seed} --shrink`)
  if (summary.seeds === 0 || summary.failures.length > 0) process.exitCode = 1
}

const sabotage = async ({ seeds: most, cores }: Options, mutants: true | string): Promise<void> => {
  const hunts = await hunt(say, { most, cores, only: mutants === true ? undefined : mutants })
  save('mutants.json', hunts)
  if (hunts.found === 0 || hunts.found < hunts.mutants.length) process.exitCode = 1
}

const count = (text: string): number => {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 up.')
}

const program = new Command('histories')
  .description('Plays histories of the deployment in virtual time; writes into out/histories.')
  .option('--seeds <n>', 'how many', count, 300)
  .option('--from <seed>', 'the first', count, 1)
  .option('--seed <n>', 'this one alone, as a story', count)
  .option('--shrink', 'with --seed: with the fewest faults in which the same invariant falls')
  .option('--minutes <m>', 'as many as there is time for', count)
  .option('--cores <n>', 'workers at one time', count, 2)
  .option(
    '--mutants [words]',
    'how many seeds each mutant of the product needs to be found; only those with the words in their names',
  )
  .option('--coverage', 'how many branches of the rollout and of the workflows they take; on one core')
  .action(async (options: Options) => {
    const { seed, mutants } = options
    if (mutants !== undefined) return sabotage(options, mutants)
    return seed === undefined ? many(options) : one(seed, options.shrink ?? false)
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`histories: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 2
}
