import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { Program } from './program.ts'
import { moduleFolder } from './cache.ts'
import { holdLock } from './lock.ts'
import { showProgress } from './progress.ts'

const run = promisify(execFile)
const downloaded = z.object({ Dir: z.string() })

/**
 * Builds a program into the folder and answers its path. The folder appears whole or not at all; of two processes that want the same
 * one, the second waits for the first.
 */
export async function goBuild(name: string, program: Program, folder: string): Promise<string> {
  await requireGo(name)
  mkdirSync(dirname(folder), { recursive: true })
  const progress = showProgress(`building ${name} (${program.cost})`)
  try {
    const release = await holdLock(`${folder}.lock`, (pid) =>
      progress.say(`process ${pid} builds ${name} already, waiting`),
    )
    try {
      if (!existsSync(folder)) await buildInto(name, program, folder)
    } finally {
      release()
    }
    progress.end(`built ${name}`)
  } catch (error) {
    progress.end(`could not build ${name}`)
    throw error
  }
  return join(folder, name)
}

async function buildInto(name: string, program: Program, folder: string): Promise<void> {
  const scratch = `${folder}.${process.pid}`
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch)
  try {
    for (const { module, from, to } of program.manifests) {
      const { stdout } = await run('go', ['mod', 'download', '-json', module], inside(program))
      copyYaml(join(downloaded.parse(JSON.parse(stdout)).Dir, from), join(scratch, 'manifests', to))
    }
    await compile(program, join(scratch, name))
    renameSync(scratch, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Contents only: files and folders of Go's module cache are read-only, and copies of that kind could not be removed. */
function copyYaml(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(from)) {
    if (file.endsWith('.yaml')) writeFileSync(join(to, file), readFileSync(join(from, file)))
  }
}

/** The module's paths and this checkout's state stay out of the binary, so that equal modules give equal binaries. */
function compile(program: Program, output: string): Promise<void> {
  const stamps = Object.entries(program.stamps).map(([variable, value]) => ` -X ${variable}=${value}`)
  const flags = ['-trimpath', '-buildvcs=false', `-ldflags=-s -w${stamps.join('')}`, '-o', output]
  const child = spawn('go', ['build', ...flags, ...(program.flags ?? []), program.package], {
    ...inside(program),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const lines = said.split('\n').filter((line) => line !== '' && !line.startsWith('go: downloading'))
      if (code === 0) resolve()
      else reject(new Error(`go build of ${program.folder} failed (exit ${code}):\n${lines.slice(-20).join('\n')}`))
    })
  })
}

/** The environment by name, because what jest gives its tests for one is a copy. */
const inside = (program: Program) => ({
  cwd: moduleFolder(program),
  env: { ...process.env, ...program.environment },
})

async function requireGo(name: string): Promise<void> {
  try {
    await run('go', ['version'], { env: process.env })
  } catch (cause) {
    throw new Error(
      `The lab's ${name} is built from Go modules, and there is no Go here. Install Go 1.26 or newer (https://go.dev/dl), or, where ` +
        `there is Go, run \`npm run lab -- build --into FOLDER\`, copy that folder here and set LAB_BIN to it.`,
      { cause },
    )
  }
}
