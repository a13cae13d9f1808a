import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../..')
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'))
const { name, version, dependencies } = read('package.json') as {
  name: string
  version: string
  dependencies: Record<string, string>
}

interface Named {
  name: string
  version: string
}

test('the list of what a release is made of has every package that is installed with it, and no tool', () => {
  const lock = read('package-lock.json') as { packages: Record<string, { version: string; dev?: true }> }
  const installed = Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, one]) => `${path.split('node_modules/').at(-1)}@${one.version}`)
  const list = JSON.parse(execFileSync('bash', ['.ci/sbom'], { cwd: root, encoding: 'utf8' })) as {
    metadata: { component: Named }
    components: Named[]
  }
  expect(list).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name, version } } })
  const listed = list.components.map((component) => `${component.name}@${component.version}`)
  expect(listed.toSorted()).toEqual([...new Set(installed)].toSorted())
})

test('what the command imports is installed with it', async () => {
  const { metafile } = await build({
    entryPoints: [join(root, 'cli/main.ts')],
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    outdir: join(root, 'out'),
    write: false,
    metafile: true,
  })
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  const packages = imports
    .filter((path) => !isBuiltin(path))
    .map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path)
  expect(packages).toContain('commander')
  expect(packages.filter((it) => !(it in dependencies))).toEqual([])
})
