import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { play } from '../verify/histories/history.ts'
import { mutants } from '../verify/histories/mutants.ts'
import { runMany } from '../verify/histories/threads.ts'

/** Half a minute on a busy machine; `npm run histories` plays 300. */
const count = 40

const file = new URL('../verify/histories/history.ts', import.meta.url).href

test('no invariant falls in any history of many', async () => {
  const { seeds, failures, invariants } = await runMany({ from: 1, seeds: count, until: Infinity, cores: 2 })
  expect([seeds, failures]).toEqual([count, []])
  // The rarest of them came about.
  expect(invariants).toMatchObject({ 'a halt is told': expect.any(Number), budget: expect.any(Number) })
}, 600_000)

/** An invariant fell in each of them once; what they showed has a test of its own beside them (test/workflows, ends.test.ts). */
const fellOnce = [1733, 2739, 2839, 3168, 3514, 3655, 3925, 8026, 8101, 8188, 8617, 8697]

test.each(fellOnce)('no invariant falls in the history of seed %d any more', async (seed) => {
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

test.each(mutants)('the product has, once, what is changed so that $name', ({ file, from, to }) => {
  const code = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
  expect(code.split(from)).toHaveLength(2)
  expect(to).not.toBe(from)
})
