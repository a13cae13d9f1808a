import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parsed } from './printed.ts'

/** Commands in the pages: in blocks for a shell, and in code within a sentence. */
const root = new URL('../../', import.meta.url)
const pages = ['README.md', ...readdirSync(new URL('docs', root)).map((name) => `docs/${name}`)].filter((it) =>
  it.endsWith('.md'),
)

const placeholders: Record<string, string> = {
  'MIN-MAX': '30000-32767',
  FILE: 'a.json',
  CODE: 'RANGE_DIFFERS',
  ARN: 'arn:aws:iam::111122223333:role/x',
}

const textOf = (page: string): string => readFileSync(new URL(page, root), 'utf8').replaceAll('\\\n', ' ')
const shellLines = (page: string): string[] =>
  [...textOf(page).matchAll(/```(?:sh|bash|console)\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'))

const commandsIn = (page: string): string[] => {
  const text = textOf(page)
  const blocks = shellLines(page)
  const spans = [...text.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g)].map(([, span = '']) => span)
  return [...blocks, ...spans]
    .map((line) =>
      line
        .replace(/^\s*\$ /, '')
        .replace(/\s+#.*$/, '')
        .trim(),
    )
    .filter((line) =>
      /^(?:npx )?(?:calico-ipvs-sync|kubectl calico-ipvs) (?:check|plan|sync|rollout|sweep|history|capture|doctor|explain|rbac|grant|spoke-template|notify)\b/.test(
        line,
      ),
    )
}

const wordsOf = (command: string): string[] =>
  command
    .replace(/^(?:npx )?(?:calico-ipvs-sync|kubectl calico-ipvs) /, '')
    .replace(/\s*(?:[|>;]|&&).*$/, '')
    .split(/\s+/)
    .flatMap((word) =>
      /^\[|\]$|^…$|^\.\.\.$/.test(word) ? [] : (placeholders[word] ?? word.replaceAll(/^["']|["']$/g, '')),
    )

test('the pages show commands', () => {
  expect(pages.flatMap(commandsIn).length).toBeGreaterThan(20)
})

test('no line for a shell writes over a file', () => {
  const bare = pages.flatMap(shellLines).map((line) => line.replaceAll(/'[^']*'|"[^"]*"|#.*$/g, ''))
  expect(bare.filter((line) => /(?<!\d)>(?!&)|\d>(?!&)/.test(line))).toEqual([])
})

test.each(pages.map((page) => [page, commandsIn(page)] as const).filter(([, commands]) => commands.length > 0))(
  'the parser understands every command of %s',
  (_, commands) => {
    const wrong = commands.flatMap((command) => {
      try {
        // What the shell puts there are roles.
        parsed(wordsOf(command.replaceAll(/"\$(viewer|operator)"/g, 'arn:aws:iam::111122223333:role/$1')))
        return []
      } catch (error) {
        // A group of commands by its name alone is spoken of, not run.
        return /^(?:npx )?calico-ipvs-sync rollout$/.test(command) ? [] : [`${command}: ${(error as Error).message}`]
      }
    })
    expect(wrong).toEqual([])
  },
)
