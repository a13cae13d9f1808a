import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { buildBinary } from '../binaries.ts'
import { ownCache } from '../build/cache.ts'
import { makeWhole } from '../build/whole-folder.ts'
import { machineRoot, versionIn } from './packages.ts'

export interface MachineImage {
  kernel: string
  /** A root file system in memory, as the kernel unpacks it. */
  initrd: string
}

const init = join(import.meta.dirname, 'init.sh')

/** The machine with these programs of the lab in it; each lies in its PATH by its name here. Made once for the same parts. */
export async function machineImage(programs: Readonly<Record<string, string>>): Promise<MachineImage> {
  const root = await machineRoot()
  const all = { guest: await buildBinary('guest'), ...programs }
  const parts = [root, readFileSync(init, 'utf8'), ...Object.entries(all).flat()]
  const folder = ownCache(
    `machine-image-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)}`,
  )
  const words = { doing: 'packing the machine', done: 'packed the machine', failed: 'could not pack the machine' }
  await makeWhole(folder, words, async (scratch) => {
    const staged = join(scratch, 'root')
    cpSync(root, staged, { recursive: true, verbatimSymlinks: true })
    rmSync(join(staged, 'boot'), { recursive: true })
    for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'root', 'usr/bin'])
      mkdirSync(join(staged, name), { recursive: true })
    for (const [name, path] of Object.entries(all)) copyFileSync(path, join(staged, 'usr/bin', name))
    copyFileSync(init, join(staged, 'init'))
    chmodSync(join(staged, 'init'), 0o755)
    await pack(staged, join(scratch, 'initrd'))
    rmSync(staged, { recursive: true })
    copyFileSync(join(root, 'boot', `vmlinuz-${versionIn(root)}`), join(scratch, 'vmlinuz'))
  })
  return { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd') }
}

/** Not compressed: to unpack it would take an emulated processor longer than all the rest of its start. */
const pack = (folder: string, file: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', 'find . | cpio --quiet -o -H newc > "$1"', 'bash', file], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`cpio ended with ${code}`))))
  })
