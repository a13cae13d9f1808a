import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
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
})

test('as a plugin of kubectl it calls itself so, in its help and in the commands that it prints', async () => {
  const env = { CALICO_IPVS_SYNC_AS: 'kubectl' }
  const help = await run(['check', '--help'], { env })
  expect(help.stdout).toContain('Usage: kubectl calico-ipvs check')
  expect(help.stdout).not.toContain('  calico-ipvs-sync check')
  expect((await run(['check', 'shop'], { env })).stderr).toContain('kubectl calico-ipvs check --context shop')
})
