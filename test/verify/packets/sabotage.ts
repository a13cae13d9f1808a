import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorkdir } from '../chapters/workdir.ts'

const root = join(import.meta.dirname, '../../..')
/** Where Felix looks for its settings among annotations, and where it does not. */
export const [known, unknown] = ['config.projectcalico.org/', 'config.projectcalico.lab/']

/**
 * A copy of the command line that writes its annotation, and reads it again, under a key that Felix does not know: to the tool all goes
 * well, and packets alone can show that nothing has changed. Throws where the product no longer names the key in this way.
 */
export function sabotagedTool(): { bin: string; remove: () => void } {
  const folder = makeWorkdir('calico-ipvs-sync-sabotage-')
  for (const name of ['cli', 'shared', 'docs', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const changed = ['cli', 'shared'].flatMap((name) => renameIn(join(folder, name)))
  for (const name of ['annotations.ts', 'range-writes.ts', 'marks.ts', 'decode.ts'])
    if (!changed.some((it) => it.endsWith(`/${name}`)))
      throw new Error(`${name} does not name ${known}, to be changed.`)
  return { bin: join(folder, 'cli/bin.mjs'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Answers the files that named it. */
const renameIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .flatMap(({ parentPath, name }) => {
      const file = join(parentPath, name)
      const text = readFileSync(file, 'utf8')
      if (!text.includes(known)) return []
      writeFileSync(file, text.replaceAll(known, unknown))
      return [file]
    })
