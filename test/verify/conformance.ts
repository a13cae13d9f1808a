import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { buildBinary } from '../../lab/binaries.ts'
import { oracleVersion, startOracle } from './conformance/oracle.ts'
import {
  type Compared,
  compareConfigurations,
  comparePatterns,
  compareSelectors,
  compareVectors,
  type RunOptions,
  type Tally,
} from './conformance/run.ts'
import { readVectors, versionsOf } from './conformance/vectors.ts'

const folder = join(import.meta.dirname, '../../out/conformance')
const say = (text: string): void => void process.stdout.write(`${text}\n`)

interface Results {
  /** Recorded configurations; one agrees if it does for every version. */
  vectors: Tally
  /** Generated configurations against the oracle. */
  generated: Tally
  patterns: Tally
  selectors: Tally
  /** The versions whose answers the vectors hold, and the oracle's. */
  versions: string[]
  seed: number
}

async function conformance(options: RunOptions): Promise<void> {
  const vectors = report('recorded configurations', compareVectors())
  const oracle = startOracle(await buildBinary('oracle'))
  try {
    const twice = { ...options, runs: options.runs * 2 }
    const generated = report('generated configurations', await compareConfigurations(oracle, options))
    const patterns = report('generated patterns', await comparePatterns(oracle, twice))
    const selectors = report('generated selectors', await compareSelectors(oracle, twice))
    finish({ vectors, generated, patterns, selectors, versions: versions(), seed: options.seed })
  } finally {
    oracle.stop()
  }
}

function report(what: string, { total, agree, differing }: Compared): Tally {
  say(`${what}: ${agree} of ${total} agree with Calico's own code`)
  for (const it of differing) say(it)
  return { total, agree }
}

const versions = (): string[] => [...new Set([...readVectors().flatMap(versionsOf), oracleVersion])].sort()

function finish(results: Results): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  const { vectors, generated, patterns, selectors } = results
  const differ = [vectors, generated, patterns, selectors].some((it) => it.agree < it.total)
  process.exitCode = differ ? 1 : 0
  say(`seed ${results.seed}; written to out/conformance/results.json`)
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('a whole number above 0')
  return value
}

await new Command('conformance')
  .description("Compare our engine with Calico's own configuration code")
  .option('--runs <number>', 'generated configurations', wholeNumber, 2_500)
  .option('--seed <number>', 'the same seed gives the same cases', wholeNumber, 20_260_101)
  .action(conformance)
  .parseAsync()
