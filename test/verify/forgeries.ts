import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { findBinary } from '../../lab/binaries.ts'
import { type Tried, tryAll } from './forgeries/run.ts'
import { failuresOf, resultsOf } from './forgeries/results.ts'
import { setTheStage } from './forgeries/stage.ts'
import { variantOf } from './forgeries/variant.ts'

/** Forges and damages what a cluster says, in front of the deployed stack, and looks what it does about it. */

interface Options {
  seed: number
  variants: number
  real: number
  only?: number
  parallel: number
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, nth) => from + nth)

const forgeries = async ({ seed, variants, real, only, parallel }: Options): Promise<void> => {
  const began = Date.now()
  const isBuilt = findBinary('kubelab') !== undefined
  if (real > 0 && !isBuilt) say('The real control plane is not built (`npm run lab build`): embedded API servers only.')
  const onReal = isBuilt ? Math.min(real, variants) : 0
  const embedded = only === undefined ? range(onReal, variants - onReal) : onReal > 0 ? [] : [only]
  const realOnes = only === undefined ? range(0, onReal) : onReal > 0 ? [only] : []
  const jobs = [
    ...realOnes.map((nth) => ({ variant: variantOf(seed, nth, 'real'), kind: 'real' as const })),
    ...embedded.map((nth) => ({ variant: variantOf(seed, nth), kind: 'embedded' as const })),
  ]
  const stage = await setTheStage()
  let count = 0
  const tell = (it: Tried): void => {
    count += 1
    const failures = failuresOf(it)
    const replay = `--seed ${seed} --only ${it.variant.nth} --real ${it.kind === 'real' ? 1 : 0}`
    if (failures.length > 0) say([`RED ${replay}  ${it.variant.what}`, ...failures].join('\n    '))
    if (count % 50 === 0) say(`${count} variants, ${Math.round((Date.now() - began) / 1000)} s`)
  }
  let tried: Tried[]
  try {
    tried = await tryAll(stage, jobs, { parallel, tell })
  } finally {
    await stage.stop()
  }
  const seconds = Math.round((Date.now() - began) / 1000)
  const results = resultsOf(tried, { seed, seconds, versions: { node: process.version, commit: commit() } })
  const folder = join(import.meta.dirname, '../../out/forgeries')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  say(JSON.stringify({ ...results, failures: results.failures.length }, null, 2))
  if (results.failures.length > 0) process.exitCode = 1
}

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

const count = (text: string): number => {
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}

const program = new Command('forgeries')
  .description('Forges what a cluster says in front of the deployed stack; writes out/forgeries/results.json.')
  .option('--seed <n>', 'of the generator: the same seed, the same variants', count, 11)
  .option('--variants <n>', 'so many', count, 500)
  .option('--real <n>', 'so many of them on the real API server', count, 12)
  .option('--only <n>', 'this one alone; with --real 1 on the real API server', count)
  .option('--parallel <n>', 'clusters at one time', count, 24)
  .action(forgeries)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`forgeries: ${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 2
}
// A function that is still running, on purpose, must not keep the process.
process.exit()
