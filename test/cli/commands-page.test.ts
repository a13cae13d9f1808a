import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { commandsPage } from '../../cli/commands-page.ts'

const page = readFileSync(new URL('../../docs/commands.md', import.meta.url), 'utf8')

test('docs/commands.md is what the program prints; `npm run commands` writes it anew', () => {
  expect(page).toBe(commandsPage())
})

test('every command has a section with its options and an example', () => {
  const sections = page.split('\n## ').slice(2)
  expect(sections.length).toBeGreaterThan(15)
  for (const section of sections) expect(section).toContain('Options:')
})
