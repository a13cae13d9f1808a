import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

interface Programs {
  thoseThatNeedPrograms: (tests: readonly object[]) => { path: string }[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))

test('a test needs the lab’s programs where its imports lead to them, over however many files', async () => {
  const { thoseThatNeedPrograms } = (await import(join(root, 'test/jest/programs.mjs'))) as Programs
  const imports: Record<string, string[]> = {
    'test/a.test.ts': ['./stage.ts', '@jest/globals'],
    'test/b.test.ts': ['../shared/c.ts'],
    'test/stage.ts': ['../lab/control-plane/start.ts'],
    'lab/control-plane/start.ts': ['../binaries.ts'],
  }
  const getDependencies = (file: string) => imports[file.slice(root.length)] ?? null
  const tests = ['test/a.test.ts', 'test/b.test.ts'].map((name) => ({
    path: join(root, name),
    context: { hasteFS: { getDependencies } },
  }))
  expect(thoseThatNeedPrograms(tests).map(({ path }) => path)).toEqual([join(root, 'test/a.test.ts')])
})
