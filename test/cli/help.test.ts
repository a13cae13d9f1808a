import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { run } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'help-'))
afterAll(() => rmSync(folder, { recursive: true }))

const commands = [
  'check',
  'plan',
  'sync',
  'rollout status',
  'sweep',
  'grant',
  'rbac',
  'notify',
  'history',
  'spoke-template',
  'capture',
  'doctor',
  'explain',
]

const loadedBy = async (words: string[]): Promise<string[]> => {
  const file = join(folder, words.join(' ').replaceAll('/', '_'))
  const trace = new URL('trace-modules.mjs', import.meta.url).href
  await run(words, { nodeArguments: ['--import', trace], env: { LOADED_MODULES: file } })
  return readFileSync(file, 'utf8').trim().split('\n')
}

test.each([[[]], ...commands.map((name) => [name.split(' ')])])(
  '%j --help is an answer, not an error',
  async (words: string[]) => {
    const { status, stdout, stderr } = await run([...words, '--help'])
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: calico-ipvs-sync ${words.join(' ')}`)
  },
)

test('the help of the program names every command and every exit status', async () => {
  const { stdout } = await run(['--help'])
  for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name.split(' ')[0]} `, 'm'))
  expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
    '0 in step or not applicable, 1 out of step or changing, 2 could not tell or failed, 64 usage',
  )
})

test.each(commands)('%s --help starts no client and loads nothing that talks to anybody', async (command) => {
  const loaded = await loadedBy([...command.split(' '), '--help'])
  expect(loaded.some((url) => url.endsWith('/cli/main.ts'))).toBe(true)
  const heavy =
    /shared\/(clients|workflows)\/|@aws-sdk|@smithy|@kubernetes|undici|\/zod\/|^node:(https?|tls|net|dns|http2)$/
  expect(loaded.filter((url) => heavy.test(url))).toEqual([])
  expect(loaded.length).toBeLessThan(60)
})

test('the trace would show a client: a command that connects loads one', async () => {
  const loaded = await loadedBy(['check', '--kubeconfig', '/nonexistent'])
  expect(loaded.some((url) => url.includes('/shared/clients/'))).toBe(true)
})

test('every command can be asked for its form of output, silence and no colours, and shows how it is used', async () => {
  for (const name of commands) {
    const { stdout } = await run([...name.split(' '), '--help'])
    for (const option of [
      '-o, --output',
      '--output-file',
      '-q, --quiet',
      '--color',
      '--no-color',
      '-h, --help',
      'Examples:',
    ])
      expect([name, stdout]).toEqual([name, expect.stringContaining(option)])
  }
})

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  expect(await run(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' })
})
