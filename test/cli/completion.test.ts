import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync, spawnSync } from 'node:child_process'
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

const other = join(folder, 'other')
const elsewhere = { name: 'elsewhere', context: { cluster: 'c', user: 'u' } }
writeFileSync(other, JSON.stringify({ contexts: [elsewhere], clusters: [], users: [] }))

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
  [['check', '--context=p'], ['--context=prod']],
  [['check', '--output=ju'], ['--output=junit']],
  [['check', '--kubeconfig', other, '--context', ''], ['elsewhere']],
  [['sweep', `--kubeconfig=${other}`, '--context', 'e'], ['elsewhere']],
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

/** The program under its name, and names by which kubectl knows it. */
const env = { KUBECONFIG, HOME: folder, PATH: `${folder}:${process.env['PATH']}` }
const tool = join(folder, 'calico-ipvs-sync')
writeFileSync(tool, `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`, { mode: 0o755 })

test('kubectl is given the words for its plugin', () => {
  const link = join(folder, 'kubectl_complete-calico_ipvs')
  symlinkSync(bin, link)
  const words = [link, 'check', '--context', 'pr']
  expect(execFileSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env })).toBe('prod\n')
})

/** Where the shell is there: the scripts need it. */
const where = (shell: string) => (spawnSync(shell, ['--version']).status === 0 ? test : test.skip)

where('zsh')(
  'in zsh the script asks the program, sourced or as a file of fpath, and offers files where there is no word',
  () => {
    const inZsh = (words: string, load: string): string => {
      const stubs = 'compdef() {}; compadd() { print -l -- ${@[2,-1]} }; _files() { print files }'
      const script = `${stubs}\n${load}\nwords=(calico-ipvs-sync ${words}); CURRENT=$#words; _calico-ipvs-sync`
      return execFileSync('zsh', ['-f', '-c', script], { cwd: folder, encoding: 'utf8', env })
    }
    const asFile =
      'calico-ipvs-sync completion zsh > _calico-ipvs-sync; fpath=($PWD $fpath); autoload -Uz _calico-ipvs-sync'
    for (const load of ['source <(calico-ipvs-sync completion zsh)', asFile]) {
      expect(inZsh('check --context pr', load)).toBe('prod\n')
      expect(inZsh("check --context '$'", load)).toBe(`${planted}\n`)
      expect(inZsh('check --state no', load)).toBe('files\n')
    }
  },
)

where('fish')('in fish the script asks the program, and offers files where there is no word', () => {
  const inFish = (line: string): string => {
    const script = `calico-ipvs-sync completion fish | source; complete -C "calico-ipvs-sync ${line}"`
    return execFileSync('fish', ['--no-config', '-c', script], { cwd: folder, encoding: 'utf8', env })
  }
  expect(inFish('check --context pr')).toBe('prod\n')
  expect(inFish('check --state conf')).toBe('config\n')
})

describe('in bash', () => {
  const inBash = (line: string): string => {
    const script = `source <(calico-ipvs-sync completion bash)
COMP_LINE='${line}'; COMP_POINT=${line.length}
_calico_ipvs_sync; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8', env })
  }

  test('a context that is an ARN is completed beyond its colons, where bash takes a new word to begin', () => {
    expect(inBash('calico-ipvs-sync check --context arn:aws:eks:eu-')).toBe('eu-west-1:111122223333:cluster/shop\n')
  })

  test('so is a value behind an equals sign', () => {
    expect(inBash('calico-ipvs-sync check --context=pr')).toBe('prod\n')
    expect(inBash('calico-ipvs-sync check --context=arn:aws:eks:eu-')).toBe('eu-west-1:111122223333:cluster/shop\n')
  })

  test('where there is no word bash offers files', () => {
    expect(inBash('calico-ipvs-sync check --state no')).toBe('\n')
  })

  test('the script asks the program and takes its words', () => {
    expect(inBash('calico-ipvs-sync check --context pr')).toBe('prod\n')
  })

  test('a context whose name is a command is not run, and is quoted', () => {
    expect(inBash('calico-ipvs-sync check --context $')).toBe('\\$\\(touch\\ planted\\)\n')
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).not.toContain('planted')
  })
})
