import { expect, test } from '@jest/globals'
import { commandsOfPage, fleetPage } from '../verify/emulator/page.ts'

/** `npm run emulator` carries these commands out. */
const commands = commandsOfPage(fleetPage())
const all = (name: string) =>
  commands.flatMap(({ text }) => {
    const [, words] = new RegExp(`^aws cloudformation ${name} (.*)$`).exec(text) ?? []
    return words === undefined ? [] : [words]
  })
const option = (words: string, name: string) =>
  words
    .split(/(?:^|\s)--/)
    .find((it) => it.startsWith(`${name} `))
    ?.slice(name.length)
    .trim()
const said = (name: string, ...options: string[]) =>
  all(name).map((words) => options.map((it) => [it, option(words, it)]))

test.each([
  ['stack-set', ['stack-set-name']],
  ['stack-instances', ['stack-set-name', 'deployment-targets', 'regions']],
  ['stack', ['stack-name', 'region']],
])('docs/fleet.md removes every %s that it makes', (what, options) => {
  const made = said(`create-${what}`, ...options)
  expect(made.flat().flatMap(([, value]) => value ?? [])).toHaveLength(options.length)
  expect(said(`delete-${what}`, ...options)).toEqual(made)
})
