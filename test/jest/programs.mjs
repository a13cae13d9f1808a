// The lab's programs take minutes to build on a new machine: they are built beside the tests that run on none of them.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findBinary, testedPrograms } from '../../lab/binaries.ts'

const root = resolve(import.meta.dirname, '../..')
const door = join(root, 'lab/binaries.ts')

export const missing = () => testedPrograms.filter((name) => findBinary(name) === undefined)

/** Of jest's tests those whose imports, and theirs, lead to the lab's programs. */
export const thoseThatNeedPrograms = (tests) => {
  const known = new Map([[door, true]])
  const leads = (file, files) => {
    if (known.has(file)) return known.get(file)
    // A circle adds nothing to what its first file leads to.
    known.set(file, false)
    const imports = (files.getDependencies(file) ?? []).filter((name) => name.startsWith('.'))
    known.set(
      file,
      imports.map((name) => resolve(dirname(file), name)).some((it) => leads(it, files)),
    )
    return known.get(file)
  }
  return tests.filter(({ path, context }) => leads(path, context.hasteFS))
}

/** Begins to build what is missing; answers how to end that. `outcome`: the file that will say how it ended. */
export const beginToBuild = (outcome) => {
  const child = spawn(process.execPath, [join(root, 'lab/main.ts'), 'build'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  child.once('close', (code) => writeFileSync(outcome, String(code)))
  return () => child.kill()
}

/** Waits outside of any test's time limit until everything is built. */
export const untilBuilt = async (outcome) => {
  while (missing().length > 0) {
    if (existsSync(outcome) && readFileSync(outcome, 'utf8') !== '0')
      throw new Error(
        `The lab could not build ${missing().join(', ')}; why stands above, and \`npm run lab -- build\` says it again.`,
      )
    await sleep(500)
  }
}
