import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'
import { bundleCommandLine } from '../../../infra/package.ts'

/** The command line as npm packs it, without what only `explain` reads. Returns its launcher. */
export async function packed(workdir: string): Promise<string> {
  const folder = join(workdir, 'packed')
  const launcher = join(folder, 'cli/bin.mjs')
  mkdirSync(join(folder, 'cli'), { recursive: true })
  cpSync(join(root, 'cli/bin.mjs'), launcher)
  cpSync(join(root, 'package.json'), join(folder, 'package.json'))
  await bundleCommandLine(join(folder, 'dist'))
  return launcher
}
