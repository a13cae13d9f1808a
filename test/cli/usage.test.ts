import { expect, test } from '@jest/globals'
import { run } from './run.ts'

const wrong: [words: string, says: string][] = [
  ['', 'Usage: calico-ipvs-sync'],
  ['chek', "unknown command 'chek'"],
  ['check --contxt a', "unknown option '--contxt'"],
  ['check spare', 'too many arguments'],
  ['check -o yaml', 'Allowed choices are text, json, junit, sarif, csv, html'],
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
