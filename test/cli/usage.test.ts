import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import { commandNames } from '../../cli/called-as.ts'
import { programOf } from '../../cli/main.ts'
import type { Sweep } from '../../shared/domain/report.ts'
import { runHere as run } from './here.ts'

const wrong: [words: string, says: string][] = [
  ['', 'Usage: calico-ipvs-sync'],
  ['chek', "unknown command 'chek'"],
  ['check --contxt a', "unknown option '--contxt'"],
  ['check spare', 'too many arguments'],
  ['check shop', 'Name the cluster with an option: calico-ipvs-sync check --context shop'],
  ['check --color blue', 'Allowed choices are auto, always, never'],
  ['explain NOPE', 'There is no finding "NOPE". Without a code'],
  ['completion tcsh', 'Allowed choices are bash, zsh, fish'],
  ['check -o yaml', 'Allowed choices are text, json, junit, sarif, csv, html, prometheus'],
  ['check --fail-on info', 'Allowed choices are critical, warning, never'],
  ['check --state a.json --context b', 'cannot be used with option'],
  ['check --cluster a', '--region'],
  ['check --cluster a --region b --context c', 'cannot be used with option'],
  ['check --service-node-port-range 30000', '30000-32767'],
  ['check --service-node-port-range 3-2', '30000-32767'],
  ['check --service-node-port-range 1-65536', '30000-32767'],
  ['check --service-node-port-range 1-2 --probe', 'cannot be used with option'],
  ['plan --strategy bold', 'Allowed choices are staged, canary, direct'],
  ['plan --max-unavailable 0', '1 or more'],
  ['plan --max-unavailable 101%', 'at most 100%'],
  ['plan --canary-seconds soon', 'whole seconds'],
  ['sync', '--yes'],
  ['sync --context a', '--yes'],
  ['sync --state a.json --yes', "unknown option '--state'"],
  ['sweep', '--context NAME or --region REGION'],
  ['sweep --region a --context b', 'cannot be used with option'],
  ['sweep --region a --role reader', 'ARN'],
  ['rollout', 'Usage: calico-ipvs-sync rollout'],
  ['rollout stop', "unknown command 'stop'"],
  ['capture -o html', 'Allowed choices are json'],
  ['capture a.json --output-file b.json', 'Name one file: a.json, or --output-file b.json.'],
]

test.each(wrong)('`%s` is a wrong command line: exit 64, and it says what would be right', async (words, says) => {
  const { status, stdout, stderr } = await run(words.split(' ').filter(Boolean))
  expect(stderr).toContain(says)
  expect(stderr).not.toMatch(/^\s+at /m)
  expect(stdout).toBe('')
  expect(status).toBe(64)
})

describe('a place that does not exist is one line with the nearest name, and no report of what could not be read', () => {
  const folder = mkdtempSync(join(tmpdir(), 'usage-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const config = join(folder, 'config')
  const entry = (name: string, user: string) => ({ name, context: { cluster: 'c', user } })
  const contexts = [entry('production', 'u'), entry('staging', 'u'), entry('nobody', 'v'), entry('plugged', 'u')]
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-plugin', interactiveMode: 'Never' }
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }]
  writeFileSync(config, JSON.stringify({ contexts, clusters, users: [{ name: 'u', user: { exec } }] }))

  test.each([
    [`--kubeconfig ${config} --context prodction`, 'no context prodction. Did you mean production? It has'],
    [`--kubeconfig ${config} --context prod`, 'no context prod. Did you mean production? It has'],
    [`--kubeconfig ${config} --context zzzzzz`, 'no context zzzzzz. It has: production, staging, nobody, plugged.'],
    [`--kubeconfig ${config} --context ing`, 'no context ing. Did you mean staging? It has'],
    [`--kubeconfig ${config} --context p`, 'no context p. It has: production, staging'],
    [`--kubeconfig ${config} --context nobody`, 'names a user that the kubeconfig does not have'],
    [
      '--kubeconfig /nonexistent',
      'There is no kubeconfig /nonexistent',
      'aws eks update-kubeconfig .* --kubeconfig /nonexistent',
    ],
    [
      `--kubeconfig ${config} --context plugged`,
      'no-such-plugin failed',
      `calico-ipvs-sync doctor --kubeconfig ${config} --context plugged`,
    ],
    ['--cluster shop --region eu-west-1', 'There are no AWS credentials', 'aws sso login'],
  ])('check %s', async (words, says, next = 'kubectl config get-contexts') => {
    const { status, stdout, stderr } = await run(['check', '--quiet', ...words.split(' ')])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(says)
    expect(stderr).toMatch(new RegExp(`^Next: ${next}`, 'm'))
    expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  })

  test('a capture is written to --output-file as to FILE, for its owner only', async () => {
    const [there, file] = [join(folder, 'there'), join(folder, 'state.json')]
    const users = [{ name: 'u', user: { token: 't' } }]
    writeFileSync(there, JSON.stringify({ contexts, clusters, users }))
    const words = ['capture', '--quiet', '--kubeconfig', there, '--context', 'staging', '--output-file', file]
    expect(await run(words)).toMatchObject({ status: 2, stdout: '' })
    expect([JSON.parse(readFileSync(file, 'utf8')), statSync(file).mode & 0o777]).toEqual([
      expect.objectContaining({ nodes: { failure: expect.anything() } }),
      0o600,
    ])
    expect((await run(words)).stderr).toContain('state.json already exists')
  })

  test('of a sweep too: nothing is read, but a program that reads JSON has a row', async () => {
    const words = ['sweep', '--quiet', '--kubeconfig', config, '--context', 'stagin', '--context', 'plugged']
    const shown = await run(words)
    expect(shown).toMatchObject({ status: 2, stdout: '' })
    expect(shown.stderr).toContain('no context stagin. Did you mean staging?')
    const { clusters } = JSON.parse((await run([...words, '-o', 'json'])).stdout) as Sweep
    expect(clusters.map(({ cluster }) => cluster.name)).toEqual(['plugged', 'stagin'])
  })

  test('a file that is not there is named in words, not in those of the system', async () => {
    for (const words of [
      ['check', '--state', '/nowhere'],
      ['check', '--state', 'docs/example-state.json', '--baseline', '/nowhere'],
      ['check', '--config', '/nowhere'],
      ['sync', '--plan', '/nowhere', '--yes', '--context', 'a'],
    ]) {
      const { status, stderr } = await run(words)
      expect([status, stderr]).toEqual([2, expect.stringContaining('there is no such file')])
      expect(stderr).not.toContain('ENOENT')
    }
  })
})

test.each([
  ['sweep --region eu-west-1'],
  ['history --cluster a --region eu-west-1'],
  ['history --cluster a --region eu-west-1 --account 111122223333 --table t'],
  ['notify --test --topic arn:aws:sns:eu-west-1:111122223333:t'],
])('without AWS credentials `%s` is one line and how to get some', async (words) => {
  const { status, stdout, stderr } = await run([...words.split(' '), '--quiet'])
  expect([status, stdout]).toEqual([2, ''])
  expect(stderr).toMatch(/^calico-ipvs-sync: There are no AWS credentials: .*\nNext: aws sso login .*\n$/)
})

test('what grant found goes to a file where one is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'grant-'))
  for (const more of [[], ['-o', 'json']]) {
    const file = join(folder, `grant${more.length}`)
    const words = ['grant', '--all', '--region', 'eu-west-1', '--dry-run', '-q', ...more, '--output-file', file]
    expect(await run(words)).toMatchObject({ status: 2, stdout: '' })
    expect(readFileSync(file, 'utf8')).toContain('aws sso login')
  }
  rmSync(folder, { recursive: true })
})

test('where only the baseline makes it a success, a line says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'baseline-'))
  const last = join(folder, 'last.json')
  const words = ['check', '--state', 'docs/example-state.json']
  writeFileSync(last, (await run([...words, '-o', 'json'])).stdout)
  const { status, stdout, stderr } = await run([...words, '--baseline', last])
  expect([status, stdout.split(' ')[0]]).toEqual([0, 'OUT'])
  expect(stderr).toBe(`Exit status 0: what is out of step was so already in ${last}.\n`)
  expect(await run([...words, '--baseline', last, '--quiet'])).toMatchObject({ status: 0, stderr: '' })
  rmSync(folder, { recursive: true })
})

test.each([
  ['rollout pause shop', 'rollout pause --context shop'],
  ['check --region eu-west-1 shop', 'check --context shop'],
  ['check --kubeconfig kc.yaml shop', 'check --context shop'],
  ['explain A B', undefined],
  ['rbac A', undefined],
])('`%s`: the cluster is named with an option where the command has one', async (words, right) => {
  const { status, stderr } = await run(words.split(' '))
  expect(status).toBe(64)
  if (right === undefined) expect(stderr).not.toContain('--context')
  else expect(stderr).toContain(`Name the cluster with an option: calico-ipvs-sync ${right}\n`)
})

test('run by npx, its commands can be pasted where it is on no PATH', async () => {
  const npx = { npm_lifecycle_event: 'npx', npm_lifecycle_script: 'calico-ipvs-sync' }
  const hint = async (env: Record<string, string>) => (await run(['check', 'shop'], { env })).stderr
  expect(await hint(npx)).toContain(' npx calico-ipvs-sync check --context shop\n')
  expect(await hint({ ...npx, npm_config_package: './a.tgz' })).toContain(
    ' npx --package=./a.tgz calico-ipvs-sync check --context shop\n',
  )
  for (const other of [
    { ...npx, npm_lifecycle_script: 'jest' },
    { ...npx, npm_config_package: 'a;b' },
  ])
    expect(await hint(other)).toContain(': calico-ipvs-sync check --context shop\n')
})

test('every command is known to the texts that print commands', () => {
  const names = programOf(() => {}).commands.map((it) => it.name())
  expect([...names.filter((name) => !name.startsWith('__')), 'help'].toSorted()).toEqual([...commandNames].toSorted())
})

test('as a plugin of kubectl it calls itself so, in its help and in the commands that it prints', async () => {
  const env = { CALICO_IPVS_SYNC_AS: 'kubectl' }
  const help = await run(['check', '--help'], { env })
  expect(help.stdout).toContain('Usage: kubectl calico-ipvs check')
  expect(help.stdout).not.toContain('  calico-ipvs-sync check')
  expect((await run(['check', 'shop'], { env })).stderr).toContain('kubectl calico-ipvs check --context shop')
})
