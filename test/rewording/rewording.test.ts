import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

interface Story {
  judged: object[]
  synced: { name: string; result: { end?: string; threw?: string } }[]
  stepped: object[]
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const told = (...options: string[]): Story => {
  const words = ['--disable-warning=ExperimentalWarning', ...options, here('story.ts')]
  return JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8', maxBuffer: 2 ** 26 })) as Story
}

test('no text steers: with every sentence reworded the same is decided and done', () => {
  const plain = told()
  expect(plain.judged.length).toBeGreaterThan(100)
  expect(Object.fromEntries(plain.synced.map(({ name, result }) => [name, result.end ?? result.threw]))).toEqual({
    'nothing to do': 'nothing-to-do',
    'out of step': 'done',
    'blocked by an owner': 'blocked',
    'blocked by an assumption': 'blocked',
    paused: 'blocked',
    aborting: 'blocked',
    'another is at it': 'blocked',
    'a node is lost': 'halted',
    'access is missing': 'blocked',
    'pods cannot be listed': 'KubeError',
    'the Lease is nonsense': 'blocked',
  })
  expect(told('--import', here('reword.mjs'))).toEqual(plain)
}, 120_000)
