import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { servePool } from '../control-planes/pool.ts'
import { beginToBuild } from './programs.mjs'

/** Whatever the tests, and the programs they start, leave behind lies in one folder: data of etcd alone is 60 MB a cluster. */
export default async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-test-'))
  process.env.TMPDIR = folder
  process.env.CONTROL_PLANES = join(folder, 'control-planes')
  // Set by the sequencer, which knows the tests.
  if (process.env.PROGRAMS_NEEDED_BY && process.env.PROGRAMS_NEEDED_BY !== '[]') {
    process.env.PROGRAMS_OUTCOME = join(folder, 'programs')
    globalThis.endBuild = beginToBuild(process.env.PROGRAMS_OUTCOME)
  }
  globalThis.controlPlanes = await servePool(process.env.CONTROL_PLANES, folder)
}
