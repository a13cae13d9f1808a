import { cpSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeWorkdir } from '../chapters/workdir.ts'

const root = join(import.meta.dirname, '../../..')
/** Where the tool says that the annotation is written: into an override, into `default`, and into Calico's copy of the metadata. */
const written = '[rangeAnnotation]: value.annotation'
const files = ['shared/domain/rollout/range-writes.ts', 'shared/domain/plan/plan.ts']

/** A copy of the command line that writes all but the annotation. Throws where the product no longer writes it in this way. */
export function sabotagedTool(): { bin: string; remove: () => void } {
  const folder = makeWorkdir('calico-ipvs-sync-sabotage-')
  for (const name of ['cli', 'shared', 'docs', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of files) {
    const text = readFileSync(join(folder, name), 'utf8')
    if (!text.includes(written)) throw new Error(`${name} has no \`${written}\` to be taken out.`)
    writeFileSync(
      join(folder, name),
      text.replaceAll(`, ${written}`, '').replaceAll(`${written},`, '').replaceAll(written, ''),
    )
  }
  return { bin: join(folder, 'cli/bin.mjs'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
