import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { eventsPart } from './fleet/events-part.ts'
import type { Claim } from './fleet/claim.ts'
import { stormPart } from './fleet/storm-part.ts'
import { sweepPart } from './fleet/sweep-part.ts'

/** The hub and its spokes as synthesized, on the lab: events, a storm of them, and a sweep over clusters of all kinds. */

const parts = { events: eventsPart, storm: stormPart, sweep: sweepPart }
type Part = keyof typeof parts

interface Options {
  events: number
  clusters: number
  only?: Part
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const fleet = async ({ events, clusters, only }: Options): Promise<void> => {
  const began = Date.now()
  const claims: Claim[] = []
  const scratch = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-fleet-'))
  try {
    for (const [name, part] of Object.entries(parts)) {
      if (only !== undefined && only !== name) continue
      const found = await part(mkdtempSync(join(scratch, `${name}-`)), { events, clusters })
      for (const { claim, holds, detail } of found)
        say(`${holds ? '✓' : '✗'} ${claim}${detail === undefined ? '' : `: ${detail}`}`)
      claims.push(...found)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  const seconds = Math.round((Date.now() - began) / 1000)
  const folder = join(import.meta.dirname, '../../out/fleet')
  mkdirSync(folder, { recursive: true })
  const results = { versions: { node: process.version, commit: commit() }, seconds, claims }
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  const held = claims.filter(({ holds }) => holds).length
  say(`${held} of ${claims.length} hold, ${seconds} s; out/fleet/results.json`)
  if (held < claims.length) process.exitCode = 1
}

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'not a checkout'
  }
}

const count = (text: string): number => {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (value < 1) throw new InvalidArgumentError('Give a whole number, 1 or more.')
  return value
}

await new Command('fleet')
  .description('Shows on the lab what a fleet on AWS gets: events, a storm of events, and a sweep.')
  .option('--events <n>', 'events of the storm', count, 10_000)
  .option('--clusters <n>', 'clusters of the sweep', count, 200)
  .addOption(new Option('--only <part>', 'one part').choices(Object.keys(parts)))
  .action(fleet)
  .parseAsync()
