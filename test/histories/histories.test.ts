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

test('a permit is not given back while the message that begins is under way: seed 98', async () => {
  expect((await play(98)).falls).toEqual([])
})

test('the same seed is the same history, byte for byte, also in another process', async () => {
  const seed = 9
  const script = `const { play } = await import(${JSON.stringify(file)}); console.log((await play(${seed})).hash)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  const [here, other] = [await play(seed), await play(seed + 1)]
  expect(here.hash).toBe(stdout.trim())
  expect(other.hash).not.toBe(here.hash)
})
