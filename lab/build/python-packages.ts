import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ownCache } from './cache.ts'
import { makeWhole } from './whole-folder.ts'

export interface PythonPackages {
  /** The package that is wanted; the others of the file are what it needs. */
  name: string
  /** A file of pip, every version pinned by hash. */
  requirements: string
  megabytes: number
}

/**
 * Brings packages from PyPI once, into a folder of their own that nothing else of Python's sees; answers it, for `PYTHONPATH`. Throws where
 * there is no Python with pip.
 */
export const pythonPackages = async ({ name, requirements, megabytes }: PythonPackages): Promise<string> => {
  const pins = readFileSync(requirements, 'utf8')
  const version = new RegExp(`^${name}==(\\S+)`, 'm').exec(pins)?.[1] ?? ''
  const hash = createHash('sha256').update(pins).digest('hex').slice(0, 8)
  const folder = ownCache(`${name}-${version}-${hash}-${process.arch}`)
  if (existsSync(folder)) return folder
  const words = {
    doing: `bringing ${name} ${version} from PyPI (${megabytes} MB)`,
    done: `brought ${name} ${version}`,
    failed: `could not bring ${name} ${version}: python3 with pip is needed`,
  }
  await makeWhole(folder, words, (scratch) => install(requirements, scratch))
  return folder
}

/**
 * For Python to find these packages, and to keep what it compiles of them for its next start: compiling all of moto or of `aws` takes longer
 * than what they are started for. Containers often tell Python to keep nothing.
 */
export const pythonVariables = (folder: string): Record<string, string> => ({
  PYTHONPATH: folder,
  PYTHONDONTWRITEBYTECODE: '',
  PYTHONPYCACHEPREFIX: ownCache('python-bytecode'),
})

const only = [
  '--no-deps',
  '--only-binary=:all:',
  '--require-hashes',
  '--no-cache-dir',
  '--no-compile',
  '--quiet',
  '--disable-pip-version-check',
]

const install = async (requirements: string, target: string): Promise<void> => {
  const args = ['-m', 'pip', 'install', ...only, '--requirement', requirements, '--target', target]
  const env = { ...process.env, PIP_REQUIRE_VIRTUALENV: '0' }
  await promisify(execFile)('python3', args, { env, maxBuffer: 16_000_000 })
}
