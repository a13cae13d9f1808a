import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { defaultPolicy } from '../../shared/domain/policy/policy.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const workflows = readdirSync(join(root, '.github/workflows')).map((file) => `.github/workflows/${file}`)
const pages = readdirSync(join(root, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`)
const decisions = readdirSync(join(root, 'docs/adr')).map((file) => `docs/adr/${file}`)
const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>
  repository: { url: string }
  bugs: { url: string }
}

/** What stands in backticks and looks like a file or folder of the repository. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]*|[\w-]+\.(?:ts|md|json))`/g)].map(([, path = '']) => path)

/** A file or folder that is there, and in a page the heading that the anchor names, as GitHub makes anchors. */
const leadsSomewhere = (from: string, target: string): boolean => {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? join(root, from) : join(root, dirname(from), path)
  if (!existsSync(file)) return false
  if (anchor === undefined) return true
  const headings = [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading)
  return headings.some(
    (heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-') === anchor,
  )
}

const section = (file: string, title: string): string => {
  const [, after = ''] = read(file).split(`\n## ${title}\n`)
  return after.split('\n## ')[0] ?? ''
}
const rowsOf = (text: string) => text.split('\n').filter((line) => /^\|(?! ?-)/.test(line))

describe('what the pages and workflows name is there', () => {
  const files = [
    'README.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    '.ci/run',
    '.ci/release',
    ...pages,
    ...decisions,
    ...workflows,
  ]
  test.each(files)('scripts in %s', (file) => {
    const named = [...read(file).matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, script = '']) => script)
    expect(named.filter((script) => manifest.scripts[script] === undefined)).toEqual([])
  })

  test.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...pages])('links in %s', (file) => {
    const targets = [...read(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !leadsSomewhere(file, target))).toEqual([])
  })

  test('paths in CONTRIBUTING.md', () => {
    const paths = pathsIn(read('CONTRIBUTING.md'))
    expect(paths.length).toBeGreaterThan(30)
    expect(paths.filter((path) => path !== 'case.yaml' && !existsSync(join(root, path)))).toEqual([])
  })

  test.each(['Rooms', 'What may know what', 'Where to change what'])('paths in "%s" of the architecture', (title) => {
    const rows = rowsOf(section('docs/architecture.md', title))
    expect(rows.length).toBeGreaterThan(5)
    const paths = rows.flatMap((row) => pathsIn(title === 'What may know what' ? (row.split('|')[1] ?? '') : row))
    const elsewhere = ['projectcalico.org/v3']
    expect(paths.filter((path) => !elsewhere.includes(path) && !existsSync(join(root, path)))).toEqual([])
  })

  test('each row of "Where to change what" names a file or a folder', () => {
    const rows = rowsOf(section('docs/architecture.md', 'Where to change what')).slice(1)
    expect(rows.filter((row) => pathsIn(row).length === 0)).toEqual([])
  })

  test('the rooms are all folders of shared, but those of one file', () => {
    const named = new Set(pathsIn(section('docs/architecture.md', 'Rooms')).map((path) => path.replace(/\/$/, '')))
    const folders = ['shared/domain', 'shared/workflows', 'shared/clients', 'shared/report'].flatMap((room) =>
      readdirSync(join(root, room), { withFileTypes: true })
        .filter((it) => it.isDirectory())
        .map(({ name }) => `${room}/${name}`),
    )
    expect(folders.filter((folder) => !named.has(folder))).toEqual([])
  })
})

test('the defaults that docs/change.md states are those of the policy', () => {
  const stated = [...read('docs/change.md').matchAll(/`(\w+)` \(default (\d+)\)/g)].map(([, key = '', value]) => [
    key,
    Number(value),
  ])
  expect(stated.length).toBeGreaterThan(1)
  expect(stated).toEqual(stated.map(([key]) => [key, defaultPolicy[key as 'settleSeconds']]))
})

describe('who may import whom', () => {
  interface Pattern {
    group: string[]
    allowTypeImports?: true
  }
  const { overrides } = JSON.parse(read('.oxlintrc.json')) as {
    overrides: { files: string[]; rules: { 'no-restricted-imports': [string, { patterns: Pattern[] }] } }[]
  }
  const short = (glob: string) => glob.replace(/^\*\*\//, '').replace(/\*\*$/, '')
  const quoted = (names: string[]) => names.map((name) => `\`${name}\``).join(', ')

  test('is on the page as the linter enforces it', () => {
    const enforced = overrides.map(({ files, rules }) => {
      const { patterns } = rules['no-restricted-imports'][1]
      const of = (types: boolean) =>
        patterns.filter((it) => (it.allowTypeImports === true) === types).flatMap((it) => it.group)
      const types = of(true).length > 0 ? `; ${quoted(of(true).map(short))} but as types` : ''
      return `| ${quoted(files.map(short))} | ${quoted(of(false).map(short))}${types} |`
    })
    expect(rowsOf(section('docs/architecture.md', 'What may know what')).slice(1)).toEqual(enforced)
  })
})

/** With a settings file of its own, because the project's names plugins that need types. */
const lintOf = (files: Record<string, string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'circles-'))
  const { rules } = JSON.parse(read('.oxlintrc.json')) as { rules: Record<string, unknown> }
  const kept = ['import/no-cycle', 'typescript/consistent-type-imports']
  const own = Object.fromEntries(Object.entries(rules).filter(([name]) => kept.includes(name)))
  writeFileSync(
    join(folder, '.oxlintrc.json'),
    JSON.stringify({ plugins: ['import', 'typescript'], categories: {}, rules: own }),
  )
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const { stdout } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['.'], { cwd: folder, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  return stdout
}

describe('a circle of imports', () => {
  const back = `import type { A } from './a.ts'\nexport interface B { a: A }\n`
  test.each([
    ['of types', `import type { B } from './b.ts'\nexport interface A { b: B }\n`],
    ['of a type among values', `import { type B } from './b.ts'\nexport interface A { b: B }\n`],
    ['of a type that is passed on', `export type { B } from './b.ts'\nexport interface A { b: 1 }\n`],
  ])('%s is found by the linter', (_, text) => {
    expect(lintOf({ 'a.ts': text, 'b.ts': back })).toContain('no-cycle')
  })

  test('cannot hide in a type expression, and without a circle nothing is found', () => {
    expect(lintOf({ 'a.ts': `export interface A { b: import('./b.ts').B }\n`, 'b.ts': back })).toContain(
      'consistent-type-imports',
    )
    expect(lintOf({ 'a.ts': `export interface A { b: 1 }\n`, 'b.ts': back })).toContain('0 errors')
  })
})

describe.each(workflows)('%s', (file) => {
  interface Job {
    permissions?: unknown
    'timeout-minutes'?: number
    steps: { uses?: string; run?: string }[]
  }
  const { permissions, jobs } = parse(read(file)) as { permissions: unknown; jobs: Record<string, Job> }

  test('pins each action by commit, with its version beside it', () => {
    const uses = read(file).match(/uses: .*/g) ?? []
    expect(uses.length).toBeGreaterThan(0)
    expect(uses.filter((it) => !/^uses: actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(it))).toEqual([])
  })

  test('gives a job what it needs, and no more: a job that runs our code cannot write', () => {
    expect([{}, { contents: 'read' }]).toContainEqual(permissions)
    for (const { permissions: own = permissions, steps, 'timeout-minutes': minutes } of Object.values(jobs)) {
      expect(minutes).toBeGreaterThan(0)
      if (steps.some(({ run }) => run?.includes('.ci/'))) expect(own).toEqual({ contents: 'read' })
    }
  })

  test('runs scripts that are there', () => {
    const runs = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
    const scripts = runs.flatMap((run) => [...run.matchAll(/\.ci\/\w+/g)].map(([script]) => script))
    expect(scripts.filter((script) => !existsSync(join(root, script)))).toEqual([])
  })
})

test('repository, issues and the address for vulnerabilities are of one home', () => {
  const home = /^git\+(https:.*)\.git$/.exec(manifest.repository.url)?.[1] ?? ''
  expect(manifest.bugs.url).toBe(`${home}/issues`)
  for (const file of ['SECURITY.md', '.github/ISSUE_TEMPLATE/config.yml'])
    expect(read(file)).toContain(`${home}/security/advisories/new`)
})

test('the files that only tools read can be read', () => {
  for (const file of readdirSync(join(root, '.github/ISSUE_TEMPLATE')))
    expect(parse(read(`.github/ISSUE_TEMPLATE/${file}`))).toBeTruthy()
  expect(JSON.parse(read('renovate.json'))).toHaveProperty('extends')
})
