import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { type Manifest, manifestsIn } from '../../lab/fixtures/manifests.ts'
import { runHere as run } from './here.ts'

interface Granting extends Manifest {
  rules?: { verbs: string[] }[]
}

const rbac = async (...words: string[]): Promise<Granting[]> => {
  const { status, stdout, stderr } = await run(['rbac', ...words])
  expect([status, stderr]).toEqual([0, ''])
  return words.includes('json')
    ? (JSON.parse(stdout) as { items: Granting[] }).items
    : parseAllDocuments(stdout).map((it) => it.toJS() as Granting)
}
const verbsIn = (all: Granting[]) => new Set(all.flatMap(({ rules = [] }) => rules.flatMap(({ verbs }) => verbs)))
const files = [...manifestsIn<Granting>('rbac.yaml'), ...manifestsIn<Granting>('guard.yaml')]

test('rbac --changes prints the manifests of the repository, each once, as one stream of documents', async () => {
  expect(await rbac('--changes')).toEqual(files)
  expect(await rbac('--changes', '-o', 'json')).toEqual(files)
})

test('without --changes it is the looking half: no verb that changes anything, and nothing that guards such verbs', async () => {
  const looking = await rbac()
  expect([...verbsIn(looking)].toSorted()).toEqual(['get', 'list'])
  expect(looking.map(({ metadata }) => metadata.name.replace(/s$/, ''))).toEqual(
    looking.map(() => 'calico-ipvs-sync-viewer'),
  )
  expect(await rbac('--viewer')).toEqual(looking)
})

test('why each right is needed stays beside it', async () => {
  const { stdout } = await run(['rbac'])
  expect(stdout).toContain('  # Node ports in use outside the range.')
  expect(stdout).not.toContain('rbac.yaml')
})

test('--no-guard leaves out what Kubernetes before 1.30 refuses; --install manifest what has no namespace there', async () => {
  expect(await rbac('--changes', '--no-guard')).toEqual(manifestsIn('rbac.yaml'))
  const byManifest = await rbac('--changes', '--install', 'manifest')
  expect(byManifest).toEqual(files.filter(({ metadata }) => metadata.namespace !== 'calico-system'))
  expect(byManifest.length).toBe(files.length - 4)
})

test('it goes to a file as the results of other commands do', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'rbac-')), 'rbac.yaml')
  expect(await run(['rbac', '--changes', '--color', 'never', '--output-file', file])).toMatchObject({
    status: 0,
    stdout: '',
  })
  expect(parseAllDocuments(readFileSync(file, 'utf8')).map((it) => it.toJS() as unknown)).toEqual(files)
  expect(await run(['spoke-template', '-o', 'json', '--output-file', file])).toMatchObject({ status: 0, stdout: '' })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveProperty('Parameters')
  rmSync(dirname(file), { recursive: true })
})

test('only one half can be asked for', async () => {
  expect(await run(['rbac', '--viewer', '--changes'])).toMatchObject({ status: 64, stdout: '' })
})

test('--user and --group are granted the same as our groups, everywhere and beside them', async () => {
  const granted = await rbac('--changes', '--user', 'alice@example.com', '--group', 'on-call', '--group', 'platform')
  const bindings = granted.filter((it) => 'subjects' in it)
  expect(bindings.length).toBe(files.filter((it) => 'subjects' in it).length)
  const more = [
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'alice@example.com' },
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'on-call' },
    { apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'platform' },
  ]
  const shipped = files.filter((it) => 'subjects' in it) as unknown as { subjects: object[] }[]
  expect(bindings).toEqual(shipped.map((it) => ({ ...it, subjects: [...it.subjects, ...more] })))
})

test('a name that YAML would take for something else stays a name', async () => {
  const name = 'true: [x] # "\n- evil'
  const bindings = (await rbac('--user', name)).filter((it) => 'subjects' in it)
  expect(
    bindings.every((it) => (it as unknown as { subjects: { name: string }[] }).subjects.at(-1)?.name === name),
  ).toBe(true)
})
