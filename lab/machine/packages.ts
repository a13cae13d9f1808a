import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ownCache } from '../build/cache.ts'
import { makeWhole } from '../build/whole-folder.ts'

const run = promisify(execFile)

/** Programs that make and run the machine, and the Debian packages that bring them. */
const needed = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  depmod: 'kmod',
  cpio: 'cpio',
  setpriv: 'util-linux',
}

/** What a node's programs call. */
const inside = ['iptables', 'ipset', 'iproute2', 'conntrack', 'nftables', 'kmod', 'dash', 'busybox-static']
/** Of what those depend on: for installing, not for running. */
const notNeeded =
  /^(cdebconf|debconf|dpkg|gcc-\d+-base|install-info|libdebian-installer4|libnewt.*|libslang2|libtextwrap1|tar)$/
/** Debian's kernel for clouds: it has ip_vs and all that goes with it, and few drivers. */
const kernel = 'linux-image-cloud-amd64'

/** Why a machine cannot be had here, and what to do about it. Undefined: it can. */
export function machineObstacle(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `The machine is one of Linux on x64, and this is ${process.platform} on ${process.arch}.`
  const missing = Object.entries(needed).filter(([program]) => spawnSync(program, ['--help']).error !== undefined)
  if (missing.length === 0) return undefined
  if (missing.some(([program]) => program.startsWith('apt') || program.startsWith('dpkg')))
    return 'The kernel and the programs of a node come from Debian with apt-get and dpkg-deb, which cannot be found: run it on Debian, or in a container of it.'
  const packages = missing.map(([, name]) => name).join(' ')
  return `${missing.map(([program]) => program).join(', ')} cannot be found: apt-get install -y --no-install-recommends ${packages}`
}

/** A root folder with Debian's kernel and the programs of a node, unpacked and not installed. Answers where it lies. Needs Debian's archive. */
export async function machineRoot(): Promise<string> {
  const image = (await dependsOn(kernel, [])).find((name) => /^linux-image-\d/.test(name))
  if (image === undefined) throw new Error(`${kernel} names no kernel. ${hint}`)
  const folder = ownCache(`machine-${image}-${createHash('sha256').update(inside.join()).digest('hex').slice(0, 8)}`)
  const words = {
    doing: `bringing ${image} and the programs of a node from Debian (50 MB)`,
    done: `brought ${image}`,
    failed: `could not bring ${image}`,
  }
  await makeWhole(folder, words, async (scratch) => {
    const names = (await dependsOn(inside, ['--recurse'])).filter((name) => !notNeeded.test(name))
    const archives = join(scratch, 'archives')
    mkdirSync(archives)
    await run('apt-get', ['download', '-q', image, ...names], { cwd: archives }).catch(failed(`download ${image}`))
    for (const file of readdirSync(archives)) await run('dpkg-deb', ['-x', join(archives, file), scratch])
    for (const unused of ['archives', 'usr/share', 'usr/lib/x86_64-linux-gnu/gconv'])
      rmSync(join(scratch, unused), { recursive: true, force: true })
    await run('depmod', ['-b', scratch, versionIn(scratch)])
  })
  return folder
}

/** `6.1.0-57-cloud-amd64` */
export const versionIn = (root: string): string => readdirSync(join(root, 'lib/modules'))[0] ?? ''

async function dependsOn(names: string | readonly string[], flags: readonly string[]): Promise<string[]> {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`)
  const all = [names].flat()
  const { stdout } = await run('apt-cache', ['depends', ...flags, ...only, ...all]).catch(
    failed(`find ${all.join(', ')}`),
  )
  return [...new Set(stdout.split('\n').map((line) => line.replace(/^.*: /, '').trim()))].filter((name) =>
    /^[a-z0-9][a-z0-9.+-]+$/.test(name),
  )
}

const hint = 'Debian has it: on Debian, run apt-get update first.'
const failed =
  (what: string) =>
  (cause: Error & { stderr?: string }): never => {
    throw new Error(`apt could not ${what}. ${hint} It said: ${(cause.stderr ?? cause.message).trim()}`, { cause })
  }
