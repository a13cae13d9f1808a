import { mkdtempSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundled } from '../../flow/assemble.ts'

/** A folder for one stage of the deployment; the functions are bundled once for all of them. */
export const stageFolder = async (workdir: string): Promise<string> => {
  const bundles = dirname(await bundled(workdir))
  const folder = mkdtempSync(join(workdir, 'stage-'))
  symlinkSync(bundles, join(folder, 'bundled'))
  return folder
}
