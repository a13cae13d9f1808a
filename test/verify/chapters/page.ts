import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChapterResult } from './chapter.ts'

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** A command; words about one stay words. */
export const code = (command: string): string =>
  /^(calico-ipvs-sync|kubectl|kube-proxy|aws|ip|npm) /.test(command) && !command.includes('`')
    ? `\`${command}\``
    : command

/** A chapter's table of claims, and those of its figures. `row`: the cells of a claim after its mark. */
export const chapterText = <C extends { holds: boolean }>(
  { title, claims, tables }: ChapterResult<C>,
  { level, head, row }: { level: '##' | '###'; head: string[]; row: (claim: C) => string[] },
): string =>
  [
    `${level} ${title}\n`,
    ...(claims.length > 0
      ? [
          table(
            ['', ...head],
            claims.map((it) => [it.holds ? '✓' : '✗', ...row(it)]),
          ),
        ]
      : []),
    ...tables.map(({ title: name, head: columns, rows }) => `\n**${name}**\n\n${table(columns, rows)}`),
    '',
  ].join('\n')

const file = join(import.meta.dirname, '../../../docs/proof.md')
/** Where the second program's part begins. Each writes its own and keeps the other's. */
export const packetsTitle = '## Proof with packets'

/** docs/proof.md with a new part in it. `page`: as it is. */
export const withPart = (page: string, part: 'rules' | 'packets', text: string): string => {
  const at = page.indexOf(`${packetsTitle}\n`)
  const [rules, packets] = at < 0 ? [page, ''] : [page.slice(0, at), page.slice(at)]
  const kept = part === 'rules' ? [text, packets] : [rules, text]
  return `${kept
    .map((it) => it.trimEnd())
    .filter(Boolean)
    .join('\n\n')}\n`
}

/** docs/proof.md as it is; empty where it is not there yet. */
export const proofPage = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

/** Whether all that a chapter of the page claims held. Undefined: it is not there. */
export const heldOnPage = (page: string, title: string): boolean | undefined => {
  const chapter = page.split(/^(?=##+ )/m).find((it) => it.startsWith(`## ${title}\n`))
  return chapter === undefined ? undefined : chapter.includes('| ✓ |') && !chapter.includes('| ✗ |')
}

export const writePart = (part: 'rules' | 'packets', text: string): void =>
  writeFileSync(file, withPart(proofPage(), part, text))
