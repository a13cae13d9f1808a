import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Program } from './program.ts'

export const moduleFolder = (program: Program): string => join(import.meta.dirname, '..', program.folder)

/**
 * Where a built program lies: named by all that decides what it is (its module, its manifests, this platform), so that a changed
 * module is another folder and an old one is never taken for it.
 */
export const cacheFolder = (name: string, program: Program): string => ownCache(`${name}-${fingerprint(program)}`)

/** The lab's own folder among the user's caches, or what lies in it by this name. */
export function ownCache(name = ''): string {
  const caches = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(caches, 'calico-ipvs-sync', name)
}

function fingerprint(program: Program): string {
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, program]))
  const folder = moduleFolder(program)
  for (const file of readdirSync(folder).toSorted()) {
    if (/^go\.(mod|sum)$|\.go$/.test(file)) hash.update(`\n${file}\n`).update(readFileSync(join(folder, file)))
  }
  return hash.digest('hex').slice(0, 16)
}
