import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { bundleAll, root } from '../../infra/bundle.ts'
import { functionNames } from '../../infra/functions.ts'
import { countedLines } from '../../infra/verdicts.ts'
import { bundled } from '../flow/assemble.ts'
import { coldImport } from './cold-import.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-bundles-'))
let bundles: string
const codeOf = (name: string, from = bundles) => readFileSync(join(from, name, 'index.js'), 'utf8')

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex')

interface Metafile {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>
}

/** Source files of which something is in the bundle. */
const sourcesOf = (name: string): string[] => {
  const { outputs } = JSON.parse(readFileSync(join(`${bundles}-meta`, `${name}.json`), 'utf8')) as Metafile
  return Object.values(outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([file]) => file)
}

beforeAll(async () => {
  bundles = await bundled(folder)
}, 60_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('bundles', () => {
  test('there is one for every function that the stack deploys, and none besides', () => {
    expect(readdirSync(bundles).toSorted()).toEqual([...functionNames].toSorted())
  })

  test.each(functionNames)(
    '%s takes at most 600 kB, and its folder holds the code and the licences of others',
    (name) => {
      expect(Buffer.byteLength(codeOf(name))).toBeLessThanOrEqual(600_000)
      expect(readdirSync(join(bundles, name)).toSorted()).toEqual([
        'THIRD_PARTY_NOTICES.txt',
        'index.js',
        'package.json',
      ])
    },
  )

  test.each(functionNames)('%s is loaded by Node without anything else on disk, and has a handler', async (name) => {
    expect(await coldImport(join(bundles, name, 'index.js'))).toMatchObject({ handler: 'function' })
  })

  test.each(functionNames)(
    '%s contains neither the Kubernetes client nor credentials that Lambda never uses',
    (name) => {
      const unwanted =
        /@kubernetes\/|credential-provider-(ini|sso|process|login|web-identity|imds)|event-streams\/|client-node/
      expect(sourcesOf(name).filter((file) => unwanted.test(file))).toEqual([])
    },
  )

  test.each(functionNames)('%s says whose software it contains, each package by name, version and licence', (name) => {
    const notices = readFileSync(join(bundles, name, 'THIRD_PARTY_NOTICES.txt'), 'utf8')
    const packages = new Set(
      sourcesOf(name).flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
    )
    expect([...packages]).toContain('@middy/core')
    for (const it of packages) {
      const { version, license } = JSON.parse(readFileSync(join(root, 'node_modules', it, 'package.json'), 'utf8')) as {
        version: string
        license: string
      }
      expect(notices).toContain(`\n${it} ${version} (${license})\n`)
    }
    expect(notices.match(/TERMS AND CONDITIONS FOR USE, REPRODUCTION/g)?.length).toBeLessThan(6)
    expect(notices).toMatch(/Permission is hereby granted, free of charge/)
  })

  test('bundling again gives the same bytes', async () => {
    const again = join(folder, 'again')
    await bundleAll({ to: again })
    const notices = (name: string, from = bundles) => readFileSync(join(from, name, 'THIRD_PARTY_NOTICES.txt'), 'utf8')
    const hashes = (from?: string) => functionNames.map((name) => hashOf(codeOf(name, from) + notices(name, from)))
    expect(hashes(again)).toEqual(hashes())
  })

  test('a function that is no more leaves no bundle behind', async () => {
    const [from, to] = [join(folder, 'functions'), join(folder, 'changing')]
    mkdirSync(from)
    for (const name of ['stays', 'goes']) writeFileSync(join(from, `${name}.ts`), 'export const handler = () => 1')
    await bundleAll({ from, to })
    expect(readdirSync(to).toSorted()).toEqual(['goes', 'stays'])
    rmSync(join(from, 'goes.ts'))
    await bundleAll({ from, to })
    expect(readdirSync(to)).toEqual(['stays'])
  })

  test('a function that does not compile is told by file and line, and no folder of functions by its name', async () => {
    const from = join(folder, 'broken')
    mkdirSync(from)
    await expect(bundleAll({ from, to: join(folder, 'none') })).rejects.toThrow(/broken: each \.ts file/)
    writeFileSync(join(from, 'evaluate.ts'), '\nexport const handler = ')
    await expect(bundleAll({ from, to: join(folder, 'none') })).rejects.toThrow(/evaluate\.ts:2:\d+/)
  })
})

describe('what the alarms count', () => {
  test.each(Object.entries(countedLines))('%s: the function still says the words', (_, line) => {
    for (const name of line.functions) expect(codeOf(name).includes(`"${line.message}"`)).toBe(true)
  })
})
