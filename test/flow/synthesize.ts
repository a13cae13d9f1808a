import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { synthesize } from '../../infra/app.ts'
import { bundleAll } from '../../infra/bundle.ts'
import { parseConfig } from '../../infra/config.ts'
import { place } from './place.ts'

/** Bundles the functions and synthesizes the stack of the stages: into which folder, and with which more settings, says the command line. */
const [outdir = '', more = '{}'] = process.argv.slice(2)
const bundles = join(outdir, '..', `lambda-${process.pid}`)
await bundleAll({ to: bundles })
const config = parseConfig({
  env: place,
  emails: ['platform@example.com'],
  policy: { action: 'sync' },
  events: { gapSeconds: 1 },
  // Each notice at once: each is looked at.
  notices: { digest: false },
  ...(JSON.parse(more) as object),
})
synthesize(config, { bundles, outdir, context: { '@aws-cdk/core:validateAgainstDefaultRules': false } })
for (const folder of [bundles, `${bundles}-meta`]) rmSync(folder, { recursive: true, force: true })
