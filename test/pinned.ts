import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * The packages that `test/NAME/package.json` pins, in `out/NAME`: installed once, apart from those of the project. `undefined`, and a line
 * that cannot be overlooked: they cannot be had here.
 */
export const pinned = (name: string, program: string): string | undefined => {
  const place = join(root, 'out', name)
  const wanted = join(place, 'node_modules', program)
  if (!existsSync(wanted)) {
    mkdirSync(place, { recursive: true })
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, 'test', name, file), join(place, file))
    const words = ['ci', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--prefer-offline']
    spawnSync('npm', words, { cwd: place, timeout: 300_000 })
  }
  if (existsSync(wanted)) return wanted
  // There nothing may be left out in silence.
  if (process.env['CI'] !== undefined)
    throw new Error(`test/${name} could not be installed (npm ci): ${program} is missing.`)
  console.warn(`${program} OF test/${name} CANNOT BE HAD HERE: what needs it was not tried.`)
  return undefined
}
