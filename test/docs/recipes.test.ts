import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parsed } from '../commands/printed.ts'

/** The recipes for pipelines: each is YAML that its system would read, and the commands in it are ones that this program understands. */
const page = readFileSync(new URL('../../docs/ci.md', import.meta.url), 'utf8')
const recipes = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => parse(text) as unknown)

/** Every list of words and every line that begins with our program, wherever it stands in a recipe. */
const commandsIn = (value: unknown): string[][] => {
  if (typeof value === 'string') return value.startsWith('npx calico-ipvs-sync ') ? [value.split(/\s+/)] : []
  if (!(value instanceof Object)) return []
  if (Array.isArray(value) && value[1] === 'calico-ipvs-sync') return [value.map(String)]
  return Object.values(value).flatMap(commandsIn)
}

test('there are recipes for GitHub, GitLab and a CronJob, each with a command of ours', () => {
  expect(recipes).toMatchObject([{ jobs: {} }, { calico: {} }, { kind: 'CronJob' }])
  for (const recipe of recipes) expect(commandsIn(recipe)).toHaveLength(1)
})

test.each(recipes.flatMap(commandsIn))('%s %s %s … is understood', (...words) => {
  expect(() => parsed(words.slice(2))).not.toThrow()
})

test('no recipe is given more than it needs: nothing that writes into a cluster, no write permission but for alerts', () => {
  for (const [, , command] of recipes.flatMap(commandsIn)) expect(['check', 'plan', 'sweep']).toContain(command)
  const { permissions } = recipes[0] as { permissions: Record<string, string> }
  expect(permissions).toEqual({ contents: 'read', 'id-token': 'write', 'security-events': 'write' })
})
