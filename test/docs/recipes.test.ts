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
  // The package of the image is installed, so its program is called by its own name.
  if (Array.isArray(value) && value[0] === 'calico-ipvs-sync') return [['npx', ...value.map(String)]]
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

test('the image of the CronJob is built from the package that `npm pack` makes of this version, and from a Node that it runs on', () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Record<
    string,
    string
  >
  const [, dockerfile = ''] = /```dockerfile\n([^]*?)```/.exec(page) ?? []
  const packed = `${name}-${version}.tgz`
  expect(dockerfile.split('\n').slice(0, 3)).toEqual([
    expect.stringMatching(/^FROM node:2[2-9]/),
    `COPY ${packed} /tmp/`,
    `RUN npm install --global /tmp/${packed} && rm /tmp/${packed}`,
  ])
  expect(recipes.at(-1)).toMatchObject({
    spec: {
      jobTemplate: {
        spec: { template: { spec: { containers: [{ image: `registry.example.com/${name}:${version}` }] } } },
      },
    },
  })
})
