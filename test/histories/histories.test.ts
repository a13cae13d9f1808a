import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { play } from '../verify/histories/history.ts'
import { run } from '../verify/histories/run.ts'

const file = new URL('../verify/histories/history.ts', import.meta.url).href

test('no invariant falls in any history of many', async () => {
  const { seeds, failures, invariants } = await run({ from: 1, seeds: 60, step: 1, until: Infinity })
  expect([seeds, failures]).toEqual([60, []])
  // The rarest of them came about.
  expect(invariants).toMatchObject({ 'a halt is told': expect.any(Number), budget: expect.any(Number) })
}, 240_000)

test.each([
  ['two clusters have a notice with everything else alike', 13],
  ['a permit is given back while the message that begins is under way', 39],
  ['a blocked look gives a permit back while a delayed message has it', 107],
  ['somebody gives a node a range of its own in the middle', 235],
  ['the range changes while a pod of the same rollout is being restarted', 52],
])('%s: seed %i', async (_, seed) => {
  expect((await play(seed)).falls).toEqual([])
})

test('the same seed is the same history, byte for byte, also in another process', async () => {
  const seed = 9
  const script = `const { play } = await import(${JSON.stringify(file)}); console.log((await play(${seed})).hash)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const [here, other] = [await play(seed), await play(seed + 1)]
  expect(here.hash).toBe(stdout.trim())
  expect(other.hash).not.toBe(here.hash)
})
