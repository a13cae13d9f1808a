import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { root } from '../../infra/bundle.ts'
import { configurationPage } from '../../infra/configuration-page.ts'
import { config } from '../../infra/config.ts'

const page = configurationPage()

test('docs/configuration.md is what the schema says; `npm run configuration` writes it anew', () => {
  expect(readFileSync(join(root, 'docs/configuration.md'), 'utf8')).toBe(page)
})

test('every knob of the file has a row, with what it means', () => {
  for (const name of Object.keys(config.shape))
    expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| [^|]+ \\| [^|]*\\| \\S`, 'm'))
})
