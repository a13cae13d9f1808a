import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fingerprint } from '../../shared/domain/fingerprint.ts'
import { makeWhole } from '../../lab/build/whole-folder.ts'

const words = {
  doing: 'bundling the functions and synthesizing the stack',
  done: 'bundled and synthesized',
  failed: 'could not bundle and synthesize',
}

/**
 * Copies the stack as the stages have it into the folder. All test files of a run that ask for the same settings share one synthesis, which
 * runs in a process of its own: the CDK costs ten seconds and 300 MB in each file that loads it.
 */
export const assemble = async (folder: string, more: object = {}): Promise<string> => {
  const settings = JSON.stringify(more)
  // Only jest gives a run a temporary folder of its own.
  const shared = join(
    process.env['JEST_WORKER_ID'] === undefined ? folder : tmpdir(),
    `stages-${fingerprint(settings)}`,
  )
  await makeWhole(shared, words, async (scratch) => {
    const program = join(import.meta.dirname, 'synthesize.ts')
    await promisify(execFile)(process.execPath, [program, scratch, settings], { env: process.env })
  })
  const outdir = join(folder, 'cdk.out')
  cpSync(shared, outdir, { recursive: true })
  return outdir
}
