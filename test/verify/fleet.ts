import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { bundled } from '../flow/assemble.ts'
import type { Claim } from './fleet/claim.ts'
import { type Part, parts } from './fleet/parts.ts'
import { sayClaim, writeResults } from './results.ts'

/** The hub and its spokes as synthesized, on the lab: events, storms of events and of notices, sweeps, killed functions, and what it costs. */

interface Options {
  events: number
  clusters: number
  changing: number
  only?: Part
}

const fleet = async ({ only, ...sizes }: Options): Promise<void> => {
  const began = Date.now()
  const claims: Claim[] = []
  const scratch = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-fleet-'))
  try {
    const bundles = dirname(await bundled(scratch))
    for (const [name, part] of Object.entries(parts)) {
      if (only !== undefined && only !== name) continue
      const folder = mkdtempSync(join(scratch, `${name}-`))
      // The functions are bundled once for all parts.
      symlinkSync(bundles, join(folder, 'bundled'))
      const found = await part(folder, sizes)
      found.forEach(sayClaim)
      claims.push(...found)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  writeResults('fleet', claims, began)
}

const count = (text: string): number => {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (value < 1) throw new InvalidArgumentError('Give a whole number, 1 or more.')
  return value
}

await new Command('fleet')
  .description(
    'Shows on the lab what a fleet on AWS gets: events, storms of events and of notices, sweeps, killed functions, and what it costs.',
  )
  .option('--events <n>', 'events of the storm', count, 10_000)
  .option('--clusters <n>', 'clusters of the sweep', count, 200)
  .option('--changing <n>', 'clusters that change at once', count, 300)
  .addOption(new Option('--only <part>', 'one part').choices(Object.keys(parts)))
  .action(fleet)
  .parseAsync()
