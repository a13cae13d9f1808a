import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'

const folders = new Set<string>()
let isWatching = false

/** A folder for logs and all else of a run. It stays, unless the run is ended by a signal. */
export function makeWorkdir(prefix: string): string {
  watchSignals()
  const folder = mkdtempSync(join(tmpdir(), prefix))
  folders.add(folder)
  return folder
}

function watchSignals(): void {
  if (isWatching) return
  isWatching = true
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      // The lab's programs end with this process, before what is listened for here: until then they write.
      process.once('exit', () => {
        for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
      })
      process.exit(128 + constants.signals[signal])
    })
  }
}
