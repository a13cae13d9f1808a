import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../infra/bundle.ts'

/** One command of a page as it stands there, continued lines joined, comments left out. */
export interface Command {
  text: string
  /** Heading of its section. */
  section: string
}

export const deployPage = (): string => readFileSync(join(root, 'docs/deploy.md'), 'utf8')
export const fleetPage = (): string => readFileSync(join(root, 'docs/fleet.md'), 'utf8')

/** What `docs/deploy.md` writes into `deploy.json` on the way to the first verdict. */
export const configurationOfPage = (page = deployPage()): string => {
  const [, json] = /```json\n([^`]*)```/.exec(page) ?? []
  if (json === undefined) throw new Error('docs/deploy.md has no deploy.json')
  return json
}

/** The commands of a page, `docs/deploy.md` by default, in order. Blocks of `bash` are not on the way from the first to the last. */
export const commandsOfPage = (page = deployPage(), blocks: 'sh' | 'bash' = 'sh'): Command[] => {
  const commands: Command[] = []
  let section = ''
  let inBlock = false
  let pending = ''
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3)
    else if (/^\s*```/.test(line)) inBlock = line.endsWith(`\`\`\`${blocks}`)
    else if (inBlock) {
      const text = pending + line.trim().replace(/\s+# .*$/, '')
      // An open bracket or a backslash goes on in the next line.
      const isOpen = text.endsWith('\\') || (text.match(/\$\(/g)?.length ?? 0) > (text.match(/\)/g)?.length ?? 0)
      pending = isOpen ? `${text.replace(/\\$/, '')} ` : ''
      if (!isOpen && text !== '') commands.push({ text, section })
    }
  }
  return commands
}
