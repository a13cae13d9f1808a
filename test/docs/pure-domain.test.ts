import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '../..')
const files = globSync('shared/{domain,report}/**/*.ts', { cwd: root })

/** Variables of a module that can be filled or set again: a cache there would be hidden from whoever calls. */
const kept = (source: string): string[] =>
  source
    .split('\n')
    .filter(
      (line) => /^(export )?(let|var) /.test(line) || /^(export )?const [^=]*=\s*new (Weak)?(Map|Set)\b/.test(line),
    )
    .filter((line) => !/^(export )?const \w+: Readonly(Map|Set)</.test(line))
    .filter((line) => !/= new (Map|Set)(<[^>]*>)?\(\[/.test(line))

test('the domain and the reports keep nothing between two calls: what is worked out once is handed on as a value', () => {
  expect(files.length).toBeGreaterThan(100)
  expect(
    files.flatMap((file) => kept(readFileSync(join(root, file), 'utf8')).map((line) => `${file}: ${line}`)),
  ).toEqual([])
})

test.each([
  ['const known = new WeakMap<object, string>()', 1],
  ['const known: Map<string, Known> = new Map()', 1],
  ['let last = 0', 1],
  ["const yes = new Set(['true'])", 0],
  ['const words: ReadonlyMap<string, string> = new Map([', 0],
  ['  const known = new Map<string, string>()', 0],
])('which this would find: %s', (line, count) => {
  expect(kept(line)).toHaveLength(count)
})
