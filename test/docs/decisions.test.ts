import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'

const folder = join(import.meta.dirname, '../../docs/adr')
const files = readdirSync(folder)
  .filter((file) => file !== 'README.md')
  .toSorted()
const textOf = (file: string) => readFileSync(join(folder, file), 'utf8')

test('decisions are numbered from 1 without a gap, in the name and in the title', () => {
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1))
  for (const [index, file] of files.entries()) expect(textOf(file)).toMatch(new RegExp(`^# ${index + 1}\\. `))
})

test('the index has each decision by its title, in order, and none besides', () => {
  const rows = textOf('README.md').matchAll(/^\| (\d+) \| \[(.+)\]\((.+)\) \| .+\. \|$/gm)
  const indexed = [...rows].map(([, number, title, file]) => `${file}: # ${number}. ${title}`)
  expect(indexed).toEqual(files.map((file) => `${file}: ${textOf(file).split('\n')[0]}`))
})

test('links between decisions lead to files', () => {
  for (const file of files)
    for (const [, target] of textOf(file).matchAll(/\]\((\d{4}-[^)#]+)/g)) expect(files).toContain(target)
})
