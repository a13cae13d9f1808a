import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const bin = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))

export interface Ended {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv
  /** The current folder (default: that of the tests). */
  cwd?: string
  /** For Node itself, before the launcher. */
  nodeArguments?: string[]
  /** Called with the process once it runs. */
  running?: (child: ChildProcess) => void
}

/** What is compiled is kept for the next command of the run. */
export const compiled = join(tmpdir(), 'calico-ipvs-sync-compiled')

/** Neither the developer's clusters nor their accounts, and nothing left behind. */
const bare = {
  PATH: process.env['PATH'],
  AWS_EC2_METADATA_DISABLED: 'true',
  XDG_CACHE_HOME: compiled,
}

/** The command line as a user starts it, off a terminal. */
export const run = (words: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { env = {}, cwd, nodeArguments = [], running } = options
    const child = spawn(process.execPath, [...nodeArguments, bin, ...words], {
      env: { ...bare, ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const kept = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (kept.stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (kept.stderr += text))
    child.once('error', reject)
    child.once('close', (status, signal) => resolve({ status, signal, ...kept }))
    running?.(child)
  })
