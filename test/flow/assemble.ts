import { cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { synthesize } from '../../infra/app.ts'
import { bundleAll } from '../../infra/bundle.ts'
import { parseConfig } from '../../infra/config.ts'
import { makeWhole } from '../../lab/build/whole-folder.ts'
import { fingerprint } from '../../shared/domain/fingerprint.ts'
import { place } from './place.ts'

const wordsFor = (what: string, done: string) => ({ doing: what, done, failed: `${what} did not work` })

/** What all test files of a run share; only jest gives a run a temporary folder of its own. */
const sharedIn = (folder: string, name: string): string =>
  join(process.env['JEST_WORKER_ID'] === undefined ? folder : tmpdir(), name)

/** The functions as they are bundled, by name; beside it, in `lambda-meta`, what each is made of. */
export const bundled = async (folder: string): Promise<string> => {
  const shared = sharedIn(folder, 'bundled')
  await makeWhole(shared, wordsFor('bundling the functions', 'bundled'), async (scratch) => {
    await bundleAll({ to: join(scratch, 'lambda') })
  })
  return join(shared, 'lambda')
}

/** Copies the stack of a configuration, with its functions as bundled, into the folder. Equal configurations are synthesized once. */
export const synthesized = async (folder: string, config: object): Promise<string> => {
  const bundles = await bundled(folder)
  const shared = sharedIn(folder, `stack-${fingerprint(JSON.stringify(config))}`)
  await makeWhole(shared, wordsFor('synthesizing the stack', 'synthesized'), (scratch) => {
    // test/infra/app.test.ts applies CloudFormation's own rules.
    synthesize(parseConfig(config), { bundles, outdir: scratch, rules: false })
    return Promise.resolve()
  })
  const outdir = join(folder, 'cdk.out')
  cpSync(shared, outdir, { recursive: true })
  return outdir
}

/** The stack as the stages have it, with more settings. */
export const assemble = (folder: string, more: object = {}): Promise<string> =>
  synthesized(folder, {
    env: place,
    emails: ['platform@example.com'],
    policy: { action: 'sync' },
    events: { gapSeconds: 1 },
    // Each notice at once: each is looked at.
    notices: { digest: false },
    ...more,
  })
