import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, test } from '@jest/globals'
import { findingCodes } from '../../shared/domain/report.ts'
import { runHere as run } from './here.ts'
import { bin } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'completion-'))
afterAll(() => rmSync(folder, { recursive: true }))

const arn = 'arn:aws:eks:eu-west-1:111122223333:cluster/shop'
const planted = '$(touch planted)'
const KUBECONFIG = join(folder, 'config')
const contexts = ['prod', arn, planted].map((name) => ({ name, context: { cluster: 'c', user: 'u' } }))
writeFileSync(KUBECONFIG, JSON.stringify({ contexts, clusters: [], users: [] }))

const complete = async (...words: string[]): Promise<string[]> => {
  const { stdout } = await run(['__complete', '--', ...words], { env: { KUBECONFIG } })
  return stdout.split('\n').filter(Boolean)
}

test.each([
  [['ch'], ['check']],
  [['rollout', 'pa'], ['pause']],
  [['check', '-o', 's'], ['sarif']],
  [['check', '--output-'], ['--output-file']],
  [
    ['plan', '--strategy', ''],
    ['staged', 'canary', 'direct'],
  ],
  [['explain', 'RANGE_D'], ['RANGE_DIFFERS']],
  [['check', '--context', 'p'], ['prod']],
  [['check', '--cluster', ''], ['shop']],
  [['completion', 'f'], ['fish']],
])('%j is completed to %j', async (words: string[], found: string[]) => {
  expect(await complete(...words)).toEqual(found)
})

test('explain offers every code', async () => {
  expect(await complete('explain', '')).toEqual(expect.arrayContaining([...findingCodes]))
})

test('without a kubeconfig there is nothing to offer and nothing goes wrong', async () => {
  const env = { KUBECONFIG: join(folder, 'none') }
  expect(await run(['__complete', '--', 'check', '--context', ''], { env })).toMatchObject({
    status: 0,
    stderr: '',
  })
})

describe('in bash', () => {
  const inBash = (line: string[], at: number): string => {
    const tool = join(folder, 'calico-ipvs-sync')
    writeFileSync(tool, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 })
    const script = `source <(calico-ipvs-sync completion bash)
COMP_WORDS=(${line.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${at}
_calico_ipvs_sync; printf '%s\\n' "\${COMPREPLY[@]}"`
    const env = { KUBECONFIG, PATH: `${folder}:${process.env['PATH']}` }
    return execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8', env })
  }

  test('the script asks the program and takes its words', () => {
    expect(inBash(['calico-ipvs-sync', 'check', '--context', 'pr'], 3)).toBe('prod\n')
  })

  test('a context whose name is a command is not run, and is quoted', () => {
    expect(inBash(['calico-ipvs-sync', 'check', '--context', '$'], 3)).toBe('\\$\\(touch\\ planted\\)\n')
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).not.toContain('planted')
  })
})
