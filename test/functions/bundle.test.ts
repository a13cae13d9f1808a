import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Metafile } from 'esbuild'
import { bundleAll, loadedFirst, root } from '../../infra/bundle.ts'
import { functionNames } from '../../infra/functions.ts'
import { countedLines } from '../../infra/verdicts.ts'
import { bundled } from '../flow/assemble.ts'
import { coldImport } from './cold-import.ts'

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-bundles-'))
let bundles: string
/** What is loaded when the function starts, and what a message needs. */
const filesOf = (name: string, from = bundles) => readdirSync(join(from, name)).filter((file) => file.endsWith('.js'))
const codeIn = (name: string, files: readonly string[], from = bundles) =>
  files.map((file) => readFileSync(join(from, name, file), 'utf8')).join('')
const codeOf = (name: string, from = bundles) => codeIn(name, filesOf(name, from), from)

/** Files that are loaded when a message needs them, with what they have in common with the index. */
const later: Record<string, string[]> = {
  evaluate: ['chunk.js', 'looking.js'],
  'rollout-step': ['beginning.js', 'chunk.js'],
}
/** Bytes at the start of a function, and with what is loaded later. */
const boundsOf = (name: string) => (name in later ? { first: 450_000, all: 590_000 } : { first: 400_000, all: 400_000 })

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex')

const metafileOf = (name: string) =>
  JSON.parse(readFileSync(join(`${bundles}-meta`, `${name}.json`), 'utf8')) as Metafile

/** Source files of which something is in the bundle. */
const sourcesOf = (name: string): string[] => {
  const { outputs } = metafileOf(name)
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
    '%s loads at most 450 kB when it starts, and its folder holds the code and the licences of others',
    (name) => {
      const { first, all } = boundsOf(name)
      expect(Buffer.byteLength(codeIn(name, [...loadedFirst(metafileOf(name))]))).toBeLessThanOrEqual(first)
      expect(Buffer.byteLength(codeOf(name))).toBeLessThanOrEqual(all)
      expect(readdirSync(join(bundles, name)).toSorted()).toEqual(
        ['THIRD_PARTY_NOTICES.txt', ...(later[name] ?? []), 'index.js', 'package.json'].toSorted(),
      )
    },
  )

  test.each(functionNames)('%s is loaded by Node without anything else on disk, and has a handler', async (name) => {
    expect(await coldImport(join(bundles, name, 'index.js'))).toMatchObject({ handler: 'function' })
  })

  test.each([
    ['evaluate', 'looking.js', ['assess', 'observe', 'plan']],
    ['rollout-step', 'beginning.js', ['assess', 'beginRollout', 'observe']],
  ])('%s loads %s, which has what the workflow asks for, at a message alone', (name, file, exported) => {
    expect(loadedFirst(metafileOf(name))).not.toContain(file)
    expect(codeIn(name, ['index.js'])).toContain(`require("./${file}")`)
    expect(Object.keys(createRequire(import.meta.url)(join(bundles, name, file)) as object).toSorted()).toEqual(
      exported,
    )
  })

  test.each(functionNames)('%s is strict code, as its sources are', (name) => {
    for (const file of filesOf(name)) expect(codeIn(name, [file])).toMatch(/^"use strict";/)
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

  test('what a function loads later is a file beside its index, and is gone when nothing loads it any more', async () => {
    const [from, to] = [join(folder, 'splitting'), join(folder, 'split')]
    mkdirSync(join(from, 'more'), { recursive: true })
    writeFileSync(join(from, 'more', 'rare.ts'), 'export const rare = () => "seldom"')
    const files = async (source: string) => {
      writeFileSync(join(from, 'one.ts'), source)
      const [{ bytes, later } = { bytes: 0, later: 0 }] = await bundleAll({ from, to })
      return {
        names: readdirSync(join(to, 'one'))
          .filter((it) => it.endsWith('.js'))
          .toSorted(),
        bytes,
        later,
      }
    }
    const lazily = 'export const handler = async () => (await import("./more/rare.ts")).rare()'
    const split = await files(lazily)
    expect(split.names).toEqual(['index.js', 'rare.js'])
    expect(split.later).toBeGreaterThan(0)
    const { handler } = createRequire(import.meta.url)(join(to, 'one', 'index.js')) as {
      handler: () => Promise<string>
    }
    expect(await handler()).toBe('seldom')
    expect(await files('export const handler = () => 1')).toMatchObject({ names: ['index.js'], later: 0 })
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
