import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { healthy } from '../domain/states.ts'
import { pinned } from '../pinned.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'package-'))
const sources = join(folder, 'sources')
const installed = join(folder, 'installed')
const home = join(installed, 'node_modules/calico-ipvs-sync')
const mega = 2 ** 20
let tarball = ''
let node = process.execPath

interface Ended {
  status: number | null
  stdout: string
  stderr: string
}
const npm = (cwd: string, ...words: string[]): Ended => {
  const env = { ...process.env, npm_config_loglevel: 'error', npm_config_cache: join(folder, 'cache') }
  return spawnSync('npm', words, { cwd, encoding: 'utf8', env })
}
const run = (...words: string[]): Ended =>
  spawnSync(node, [join(home, 'cli/bin.mjs'), ...words], {
    cwd: installed,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder },
    maxBuffer: 64 * mega,
  })

/** The oldest that the package is for; without it the newer one is taken, and that is said. */
const oldestNode = (): string =>
  pinned('node-22', `node-${process.platform}-${process.arch}/bin/node`) ?? process.execPath

beforeAll(() => {
  node = oldestNode()
  mkdirSync(sources)
  for (const it of ['package.json', 'README.md', 'LICENSE', 'cli', 'shared', 'infra', 'docs'])
    cpSync(join(root, it), join(sources, it), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(sources, 'node_modules'))
  const packed = npm(sources, 'pack', '--pack-destination', folder)
  tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
  expect([packed.status, existsSync(tarball)]).toEqual([0, true])
  mkdirSync(installed)
  writeFileSync(join(installed, 'package.json'), '{"private":true}')
  const done = npm(installed, 'install', '--offline', '--no-audit', '--no-fund', tarball)
  expect([done.status, done.stderr.replaceAll(/^npm warn EBADENGINE.*\n?/gm, '')]).toEqual([0, ''])
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('what npm packs', () => {
  test('is small, depends on nothing, and is for the Node that people have', () => {
    const { size } = statSync(tarball)
    console.log(`The package has ${(size / mega).toFixed(2)} MiB; it was run with Node ${nodeVersion()}.`)
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
    const unpacked = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
    console.log(`Installed it takes ${(unpacked / mega).toFixed(1)} MiB.`)
    expect([size, unpacked].filter((bytes) => bytes > 5 * mega)).toEqual([])
    const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(manifest['engines']).toEqual({ node: '>=22' })
    expect(Object.keys(manifest)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/dependencies|scripts|overrides/i)]),
    )
  })

  test('leaves the manifest of the sources as it was', () => {
    expect(readFileSync(join(sources, 'package.json'), 'utf8')).toBe(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(existsSync(join(sources, 'out/package.json.of-the-sources'))).toBe(false)
  })

  test('holds the schemas, the findings, the rights, the guard and what is to be said of the software of others', () => {
    for (const file of [
      'docs/report.schema.json',
      'docs/findings.md',
      'infra/kubernetes/rbac.yaml',
      'infra/kubernetes/guard.yaml',
    ])
      expect(readFileSync(join(home, file), 'utf8')).toBe(readFileSync(join(root, file), 'utf8'))
    expect(readFileSync(join(home, 'dist/THIRD_PARTY_NOTICES.txt'), 'utf8')).toMatch(/^commander \d/m)
    expect(existsSync(join(home, 'shared'))).toBe(false)
  })
})

const nodeVersion = (): string => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()

describe('installed in an empty folder, off the network, it runs without a word on standard error', () => {
  test.each([
    [['--version'], /^\d+\.\d+\.\d+\n$/],
    [['--help'], /^Usage: calico-ipvs-sync /],
    [['explain', 'FLAPPING'], /^FLAPPING\n/],
    [
      ['rbac', '--changes'],
      /^# calico-ipvs-sync: what it needs in a cluster to look and to change\.\n[\s\S]*ValidatingAdmissionPolicy/,
    ],
    [
      ['spoke-template', '--hub-account', '111122223333', '--hub-region', 'eu-west-1'],
      /^# A spoke of calico-ipvs-sync[\s\S]*AWS::IAM::Role/,
    ],
    [['completion', 'bash'], /calico-ipvs-sync/],
  ])('%j', (words, says) => {
    const { status, stdout, stderr } = run(...words)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(says)
  })

  test.each(['text', 'json', 'junit', 'sarif', 'csv', 'html', 'prometheus'])(
    'check of a captured state, as %s',
    (output) => {
      const state = join(folder, 'state.json')
      writeFileSync(state, JSON.stringify(healthy()))
      const { status, stdout, stderr } = run('check', '--state', state, '-o', output)
      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toContain(output === 'prometheus' ? 'calico_ipvs_sync' : 'in')
    },
  )

  test('what is loaded only when it is needed is there: the SDK of AWS, the providers of old', () => {
    const user = {
      'auth-provider': {
        name: 'oidc',
        config: { 'id-token': 'e30.e30.s', 'client-id': 'c', 'idp-issuer-url': 'https://idp.example' },
      },
    }
    const config = {
      'current-context': 'one',
      contexts: [{ name: 'one', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user }],
    }
    writeFileSync(join(folder, 'kubeconfig'), JSON.stringify(config))
    expect(run('doctor', '-q', '--kubeconfig', join(folder, 'kubeconfig')).stdout).toMatch(/FAILED +TCP/)
    const { status, stdout } = run('doctor', '-q', '--cluster', 'prod', '--region', 'eu-west-1')
    expect([status, stdout]).toEqual([2, expect.stringMatching(/FAILED +credentials/)])
  })

  test('an older Node is told in one line', () => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.20.2'}})`
    const { status, stderr } = spawnSync(node, ['--import', old, join(home, 'cli/bin.mjs'), 'check'], {
      encoding: 'utf8',
    })
    expect([status, stderr.trim().split('\n').length]).toEqual([2, 1])
    expect(stderr).toContain('needs Node 22 or later; this is 20.20.2')
  })
})
