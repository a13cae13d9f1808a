import { rmSync } from 'node:fs'
import { dirname } from 'node:path'

export default async () => {
  globalThis.endBuild?.()
  await globalThis.controlPlanes.stop()
  const folder = process.env.TMPDIR
  // A watching jest begins again in the same process.
  process.env.TMPDIR = dirname(folder)
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
