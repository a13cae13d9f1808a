import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { runHere as run } from './here.ts'
import { bin } from './run.ts'

const workdir = mkdtempSync(join(tmpdir(), 'capture-'))
afterAll(() => rmSync(workdir, { recursive: true }))

const kubeconfig = join(workdir, 'config')
writeFileSync(
  kubeconfig,
  JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
    users: [{ name: 'x', user: { token: 'open-sesame-4711' } }],
  }),
)
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8)
const capture = (...words: string[]) => run(['capture', '--kubeconfig', kubeconfig, '--quiet', ...words])
/** The cluster cannot be reached, which is a state like any other. */
const written = {
  status: 2,
  stderr: expect.stringMatching(/The nodes could not be read, .*\nNext: calico-ipvs-sync doctor /),
}

describe('the file of a captured state', () => {
  test('is for its owner alone', async () => {
    const file = join(workdir, 'new.json')
    expect(await capture(file)).toMatchObject(written)
    expect(modeOf(file)).toBe('600')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ schemaVersion: 1 })
    expect(readFileSync(file, 'utf8')).not.toContain('open-sesame-4711')
  })

  test('does not take the place of another, unless told to, and then is for its owner alone too', async () => {
    const file = join(workdir, 'there.json')
    writeFileSync(file, 'mine')
    chmodSync(file, 0o644)
    const refused = await capture(file)
    expect(refused).toMatchObject({ status: 2, stdout: '' })
    expect(refused.stderr).toContain('already exists; nothing was written')
    expect(readFileSync(file, 'utf8')).toBe('mine')
    expect(await capture(file, '--force')).toMatchObject(written)
    expect(modeOf(file)).toBe('600')
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ schemaVersion: 1 })
  })

  test('that a shell made is tightened', () => {
    const file = join(workdir, 'shell.json')
    const line = `umask 022; '${process.execPath}' '${bin}' capture --quiet --kubeconfig '${kubeconfig}' > '${file}'`
    expect(spawnSync('sh', ['-c', line], { encoding: 'utf8' })).toMatchObject(written)
    expect(modeOf(file)).toBe('600')
  })

  test('is not left half, and it is said in words why', async () => {
    const file = join(workdir, 'no-such-folder', 'state.json')
    const why = (named: string, what: string) =>
      `calico-ipvs-sync: The result could not be written to ${named}: ${what}\n`
    expect(await capture(file)).toMatchObject({ status: 2, stderr: why(file, 'its folder does not exist') })
    expect(existsSync(file)).toBe(false)
    expect(await capture('/dev/full')).toMatchObject({ status: 2, stderr: why('/dev/full', 'no space is left') })
  })
})
