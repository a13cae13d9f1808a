import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { endWithThisProcess } from '../processes.ts'
import type { Program } from './program.ts'
import { moduleFolder } from './cache.ts'
import { findGo, type Go } from './go-toolchain.ts'
import { makeWhole } from './whole-folder.ts'

const run = promisify(execFile)
const downloaded = z.object({ Dir: z.string() })

/** Builds a program into the folder, once, and answers its path. Brings Go first where there is none that can. */
export async function goBuild(name: string, program: Program, folder: string): Promise<string> {
  const go = await findGo(moduleFolder(program))
  const words = {
    doing: `building ${name} (${program.cost})`,
    done: `built ${name}`,
    failed: `could not build ${name}`,
  }
  await makeWhole(folder, words, async (scratch) => {
    for (const { module, from, to } of program.manifests) {
      const { stdout } = await run(go.command, ['mod', 'download', '-json', module], inside(program, go))
      copyYaml(join(downloaded.parse(JSON.parse(stdout)).Dir, from), join(scratch, 'manifests', to))
    }
    await compile(go, program, join(scratch, name))
  })
  return join(folder, name)
}

/** Contents only: files and folders of Go's module cache are read-only, and copies of that kind could not be removed. */
function copyYaml(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(from)) {
    if (file.endsWith('.yaml')) writeFileSync(join(to, file), readFileSync(join(from, file)))
  }
}

/**
 * The module's paths and this checkout's state stay out of the binary, so that equal modules give equal binaries. Nobody debugs these
 * programs: packages are compiled without DWARF, which takes a fifth less time and disk, and no symbols are linked. All programs have the
 * same flags, so that a package that several of them use is compiled once.
 */
function compile(go: Go, program: Program, output: string): Promise<void> {
  const stamps = Object.entries(program.stamps).map(([variable, value]) => ` -X ${variable}=${value}`)
  const flags = [
    '-trimpath',
    '-buildvcs=false',
    '-gcflags=all=-dwarf=false',
    `-ldflags=-s -w${stamps.join('')}`,
    '-o',
    output,
  ]
  const child = spawn(go.command, ['build', ...flags, ...(program.flags ?? []), program.package], {
    ...inside(program, go),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  // At this signal `go` ends its compilers, and removes their folder.
  void endWithThisProcess(child, 'SIGINT')
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

/**
 * The environment by name, because what jest gives its tests for one is a copy. A sixth of the compiler's time would be spent on collecting
 * garbage; without it a compiler takes 200 MB, and for one package 540 MB.
 */
const inside = (program: Program, go: Go) => ({
  cwd: moduleFolder(program),
  // Without cgo no C compiler is needed, and the standard library is the same for all programs.
  env: { GOGC: '400', ...process.env, CGO_ENABLED: '0', ...program.environment, ...go.environment },
})
