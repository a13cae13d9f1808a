import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterAll, expect, test } from '@jest/globals'
import { bin, run } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'launcher-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Makes this Node believe that it is an old one, as the launcher sees it. */
const old = [
  '--import',
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})",
]

test('under an old Node it goes on with the one among the dependencies, exit status and output the same', async () => {
  const ended = await run(['check', '-o', 'yaml'], { nodeArguments: old })
  expect(ended).toMatchObject({ status: 64, stdout: '' })
  expect(ended.stderr).toContain('Allowed choices')
  expect(await run(['--help'], { nodeArguments: old })).toEqual(await run(['--help']))
})

test('a signal reaches the command beneath, and the launcher ends by the same one', async () => {
  // A server that takes connections and never says a word.
  const silent = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const address = silent.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const config = join(folder, 'kubeconfig')
  const { writeFileSync } = await import('node:fs')
  const cluster = `{name: c, cluster: {server: "https://127.0.0.1:${port}"}}`
  const context = '{name: c, context: {cluster: c, user: u}}'
  const user = '{name: u, user: {token: t}}'
  writeFileSync(config, `{current-context: c, clusters: [${cluster}], contexts: [${context}], users: [${user}]}`)
  const ended = await run(['check', '--kubeconfig', config], {
    nodeArguments: old,
    running: (child) => silent.once('connection', () => child.kill('SIGTERM')),
  })
  silent.close()
  expect(ended).toMatchObject({ status: null, signal: 'SIGTERM' })
})

test('where NO_COLOR and FORCE_COLOR are both set, Node says nothing of it on standard error', () => {
  const said = (env: Record<string, string>) =>
    spawnSync(process.execPath, [bin, 'explain', '--color', 'blue'], { encoding: 'utf8', env }).stderr
  const plainly = said({})
  expect(plainly).toContain('Allowed choices are auto')
  expect(said({ NO_COLOR: '1', FORCE_COLOR: '1' })).toBe(plainly)
  expect(said({ NO_COLOR: '', FORCE_COLOR: '1' })).toBe(plainly)
})

test('what cannot be written is said in words, with the file that was named and not its part', () => {
  const written = (file: string) =>
    spawnSync(process.execPath, [bin, 'explain', '--output-file', file], { encoding: 'utf8' }).stderr
  const missing = join(folder, 'none/list.txt')
  const said = 'calico-ipvs-sync: The result could not be written to'
  expect(written(missing)).toBe(`${said} ${missing}: its folder does not exist\n`)
  expect(written(folder)).toBe(`${said} ${folder}: it is a folder\n`)
  expect(written('/dev/full')).toBe(`${said} /dev/full: no space is left\n`)
})

test('without any fitting Node it says what to install', () => {
  const alone = join(folder, 'alone')
  mkdirSync(alone)
  cpSync(bin, join(alone, 'bin.mjs'))
  const { status, stderr } = spawnSync(process.execPath, [...old, join(alone, 'bin.mjs'), 'check'], {
    encoding: 'utf8',
  })
  expect(status).toBe(2)
  expect(stderr).toContain('needs Node 24')
  expect(stderr).toContain(`npm install node-${process.platform}-${process.arch}@24`)
})
