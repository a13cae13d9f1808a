import { readdirSync, readFileSync, statSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { exampleText } from '../verify/pictures/example.ts'
import { exampleState, reportOf } from '../verify/samples/documents.ts'
import { countedFigures, type Figures, nodePortsPicture } from '../verify/pictures/node-ports.ts'

const folder = new URL('../../docs/pictures/', import.meta.url)
const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

test('the drawing of README.md is what `npm run pictures` makes of the figures', () => {
  expect(readFileSync(new URL('node-ports.svg', folder), 'utf8')).toBe(nodePortsPicture(countedFigures()))
})

test('the captured state of README.md is what `npm run pictures` writes, out of step, and small', () => {
  const text = readFileSync(new URL('../example-state.json', folder), 'utf8')
  expect(text).toBe(exampleText())
  expect(text.length).toBeLessThan(20_000)
  const { verdict, findings } = reportOf(exampleState())
  expect([verdict, ...findings.map(({ code }) => code)]).toEqual([
    'out-of-step',
    'RANGE_DIFFERS',
    'RANGE_SPEC_IGNORED',
    'IPVS_DEPRECATED',
  ])
})

test('it says what connections did where they were counted', () => {
  const byHand = { wrong: 5, tried: 9 }
  const figures: Figures = [
    { chapter: 'By hand', command: 'kubectl', before: byHand, during: byHand, after: byHand },
    {
      chapter: 'The range is too small',
      command: 'sync',
      before: { wrong: 24, tried: 24 },
      during: { wrong: 2, tried: 640 },
      after: { wrong: 0, tried: 23 },
    },
  ]
  const drawn = nodePortsPicture(figures)
  expect(drawn).toContain('counted: 24 of 24 went wrong, 0 of 23 after sync')
  expect(drawn).toContain(
    'counted: 2 of 640 new connections to a working node port failed while sync changed the range',
  )
  expect(nodePortsPicture([])).not.toContain('counted')
})

test('it is legible on dark pages too: each colour of the light page has another there', () => {
  const [light = '', dark = ''] = nodePortsPicture([]).split('@media(prefers-color-scheme:dark)')
  const classes = (text: string) => new Set(text.match(/\.[a-z]+(?=\{[^}]*#)/g))
  expect([...classes(light)].filter((it) => !classes(dark).has(it))).toEqual([])
})

test('README.md shows each picture, and says in words what is in it; none is larger than 200 kB', () => {
  for (const name of readdirSync(folder)) {
    expect(readme).toMatch(new RegExp(`!\\[[^\\]]{40,}\\]\\(docs/pictures/${name.replace('.', '\\.')}\\)`))
    expect(statSync(new URL(name, folder)).size).toBeLessThan(200_000)
  }
})
