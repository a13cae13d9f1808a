import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { buildBinary, findBinary, readManifests } from '../../lab/binaries.ts'
import type { Program } from '../../lab/build/program.ts'
import { goBuild } from '../../lab/build/go-build.ts'
import { holdLock } from '../../lab/build/lock.ts'
import { showProgress } from '../../lab/build/progress.ts'

const before = { ...process.env }
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-binaries-'))
})
afterEach(() => {
  for (const name of ['LAB_BIN', 'XDG_CACHE_HOME', 'PATH']) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

test('a program in LAB_BIN goes before one in the cache', () => {
  const cached = findBinary('kubelab')
  process.env['LAB_BIN'] = folder
  expect(findBinary('kubelab')).toBe(cached)
  writeFileSync(join(folder, 'kubelab'), '')
  expect(findBinary('kubelab')).toBe(cached)
  chmodSync(join(folder, 'kubelab'), 0o755)
  expect(findBinary('kubelab')).toBe(join(folder, 'kubelab'))
})

test('with empty folders, no Go and no Python it says how to get the program all the same', async () => {
  Object.assign(process.env, { LAB_BIN: folder, XDG_CACHE_HOME: folder, PATH: folder })
  expect(findBinary('kubelab')).toBeUndefined()
  await expect(buildBinary('kubelab')).rejects.toThrow(
    /^The lab's programs [^.]* neither Go 1\.26 here nor a python3 with pip [^.]*: install one of them, or set LAB_BIN [^.]*\.$/,
  )
})

test('a binary without its manifests says how to get them', () => {
  expect(() => readManifests(join(folder, 'kubelab'), 'kwok-crds')).toThrow(
    /manifests\/kwok-crds is missing\. .*--into/,
  )
})

test('builds stamped programs, once for two who want one at a time, and over what one who died has left', async () => {
  const program = helloModule(folder)
  const cache = join(folder, 'cache', 'hello-1')
  const { pid } = spawnSync('true')
  mkdirSync(`${cache}.${pid}`, { recursive: true })
  writeFileSync(`${cache}.lock`, `${pid} 1`)
  const [first, second] = await Promise.all([goBuild('hello', program, cache), goBuild('hello', program, cache)])
  expect(first).toBe(join(cache, 'hello'))
  expect(second).toBe(first)
  expect(execFileSync(first).toString()).toBe('hello from v1.2.3\n')
  expect(readdirSync(dirname(cache))).toEqual(['hello-1'])
})

test('a lock whose holder’s process id is another’s by now is taken over', async () => {
  const lock = join(folder, 'lock')
  writeFileSync(lock, `${process.ppid} 1`)
  const release = await holdLock(lock, () => {
    throw new Error('It waits.')
  })
  expect(readdirSync(folder)).toEqual(['lock'])
  release()
  expect(readdirSync(folder)).toEqual([])
})

test('a program is built with the flags and the environment that its row asks for', async () => {
  const program = helloModule(folder, 'func main() { fmt.Println("hello from nowhere") }')
  const lines = [
    '//go:build tagged && !cgo',
    'package main',
    'import "os"',
    'func init() { print("tagged"); os.Exit(3) }',
  ]
  writeFileSync(join(folder, 'hello', 'tagged.go'), `${lines.join('\n\n')}\n`)
  const asked = { ...program, flags: ['-tags=tagged'], environment: { CGO_ENABLED: '0' } }
  const built = await goBuild('hello', asked, join(folder, 'cache', 'hello-2'))
  expect(spawnSync(built)).toMatchObject({ status: 3, stderr: Buffer.from('tagged') })
})

test('a build that fails leaves nothing behind and tells what the compiler said', async () => {
  const program = helloModule(folder, 'func main() { undefined() }')
  const cache = join(folder, 'cache', 'hello-1')
  await expect(goBuild('hello', program, cache)).rejects.toThrow('undefined: undefined')
  expect(existsSync(cache)).toBe(false)
  expect(readdirSync(dirname(cache))).toEqual([])
})

test('progress is plain lines off a terminal, and one line rewritten on it', () => {
  const written = (isTTY: boolean): string => {
    let text = ''
    const write = (piece: string | Uint8Array): boolean => {
      text += String(piece)
      return true
    }
    const progress = showProgress('building', { isTTY, write })
    progress.end('built it')
    return text
  }
  expect(written(false)).toBe('lab: building … 0 s\nlab: built it in 0 s\n')
  expect(written(true)).toBe('\r\u001B[Klab: building … 0 s\r\u001B[Klab: built it in 0 s\n')
})

function helloModule(
  folder: string,
  main = 'var from = "nowhere"\nfunc main() { fmt.Println("hello from " + from) }',
): Program {
  const module = join(folder, 'hello')
  mkdirSync(module)
  writeFileSync(join(module, 'go.mod'), 'module hello\n\ngo 1.24\n')
  writeFileSync(join(module, 'main.go'), `package main\n\nimport "fmt"\n\nvar _ = fmt.Sprint\n\n${main}\n`)
  const lab = join(import.meta.dirname, '..', '..', 'lab')
  return {
    folder: relative(lab, module),
    package: '.',
    stamps: { 'main.from': 'v1.2.3' },
    cost: 'seconds',
    manifests: [],
  }
}
