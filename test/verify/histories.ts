import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Command, InvalidArgumentError } from 'commander'
import { play } from './histories/history.ts'
import { hunt } from './histories/hunt.ts'
import type { Run } from './histories/run.ts'
import { shrink } from './histories/shrink.ts'
import { storyOf } from './histories/story.ts'
import { emptySummary, merge, type Summary } from './histories/summary.ts'

/** Plays the whole deployment in virtual time, each history from a seed, with the faults that the seed draws. */

interface Options {
  seeds: number
  from: number
  seed?: number
  minutes?: number
  cores: number
  shrink?: true
  mutants?: true | string
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const one = async (seed: number, isShrunk: boolean): Promise<void> => {
  const history = await play(seed)
  const shown = isShrunk && history.falls.length > 0 ? (await shrink(history)).history : history
  say(storyOf(shown))
  if (history.falls.length > 0) process.exitCode = 1
}

const inWorker = (part: Run): Promise<Summary> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('histories/worker-thread.ts', import.meta.url), { workerData: part })
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const many = async ({ seeds, from, minutes, cores }: Options): Promise<void> => {
  const began = Date.now()
  const until = minutes === undefined ? Infinity : began + minutes * 60_000
  const count = minutes === undefined ? seeds : Infinity
  const parts = Array.from({ length: cores }, (_, core) => ({
    from: from + core,
    seeds: count - core,
    step: cores,
    until,
  }))
  const summary = emptySummary()
  for (const part of await Promise.all(parts.map(inWorker))) merge(summary, part)
  summary.seconds = Math.round((Date.now() - began) / 1000)
  const folder = join(import.meta.dirname, '../../out/histories')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(summary, null, 2)}\n`)
  say(JSON.stringify(summary, null, 2))
  for (const { seed, invariant } of summary.failures)
    say(`${invariant} fell: npm run histories -- --seed ${seed} --shrink`)
  if (summary.seeds === 0 || summary.failures.length > 0) process.exitCode = 1
}

const count = (text: string): number => {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 up.')
}

const program = new Command('histories')
  .description('Plays histories of the deployment in virtual time; writes out/histories/results.json.')
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
  .action(async (options: Options) => {
    const { seed, mutants } = options
    if (mutants === undefined) return seed === undefined ? many(options) : one(seed, options.shrink ?? false)
    const only = mutants === true ? undefined : mutants
    if (!(await hunt(say, { most: options.seeds, only }))) process.exitCode = 1
  })

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`histories: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 2
}
