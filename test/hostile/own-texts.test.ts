import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { withoutSecrets } from '../../shared/domain/secrets.ts'

/** Sentences that are shown pass the search for secrets as they are: an advice such as `{"token": "…"}` would be shown without its point. */
const notShown = /(?:domain\/secrets|clients\/certificates|html\/style)\.ts$/
const root = new URL('../../', import.meta.url)
const sources = ['cli', 'shared', 'functions'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !notShown.test(file))
    .map((file) => `${folder}/${file}`),
)
const literals = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g

const sentencesIn = (file: string): string[] =>
  (readFileSync(new URL(file, root), 'utf8').match(literals) ?? [])
    .map((literal) => literal.slice(1, -1).replaceAll(/\$\{[^}]*\}/g, 'x'))
    .filter((text) => text.includes(' '))

test('no sentence of ours reads like a secret', () => {
  const all = sources.flatMap((file) => sentencesIn(file).map((text) => ({ file, text })))
  expect(all.length).toBeGreaterThan(1_000)
  const hidden = all.filter(({ text }) => withoutSecrets(text) !== text)
  expect(hidden.map(({ file, text }) => [file, withoutSecrets(text)])).toEqual([])
})
