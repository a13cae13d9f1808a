import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emulate, followFleetPage, followPage, restoreRecords } from './emulator/emulate.ts'
import { sayClaim, writeResults } from './results.ts'

/**
 * On moto, an emulator of AWS that knows nothing of this project: both templates created and deleted, and every command of docs/deploy.md
 * and docs/fleet.md as it stands there. Needs python3 with pip.
 */
const began = Date.now()
const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-emulator-'))
try {
  const claims = [
    ...(await emulate(folder)),
    ...(await followFleetPage(folder)),
    ...(await restoreRecords(folder)),
    ...(await followPage(folder)),
  ]
  claims.forEach(sayClaim)
  writeResults('emulator', claims, began)
} catch (error) {
  process.stderr.write(`emulator: NOTHING IS SHOWN: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
} finally {
  rmSync(folder, { recursive: true, force: true })
}
