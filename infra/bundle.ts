import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, transform } from 'esbuild'
import { slimming } from './slimming.ts'
import { thirdPartyNotices } from './third-party.ts'

export const root = resolve(import.meta.dirname, '..')

/** The path of each function for the stack, the lab and the tests: `<bundles>/<name>/index.js`. */
export const bundles = join(root, 'out/lambda')

export interface Bundle {
  name: string
  file: string
  /** Of the code that is loaded when the function starts. */
  bytes: number
  /** Of the code that is loaded when a message needs it. */
  later: number
}

interface Places {
  from?: string
  to?: string
}

/**
 * Bundles every `<from>/*.ts`. Source maps and metafiles are written next to the folders, not into them, so that the
 * asset's hash depends on the code only. Throws esbuild's own error, with file and line, and leaves no half-written
 * bundle.
 */
export const bundleAll = async ({ from = join(root, 'functions'), to = bundles }: Places = {}): Promise<Bundle[]> => {
  const names = (await readdir(from)).filter((file) => file.endsWith('.ts')).map((file) => basename(file, '.ts'))
  if (names.length === 0) throw new Error(`No functions in ${from}: each .ts file there is one Lambda.`)
  const bundled = await Promise.all(names.toSorted().map((name) => bundle(join(from, `${name}.ts`), name, to)))
  const stale = (await readdir(to)).filter((folder) => !names.includes(folder))
  await Promise.all(stale.map((folder) => rm(join(to, folder), { recursive: true, force: true })))
  return bundled
}

const bundle = async (entry: string, name: string, to: string): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    entryPoints: [{ in: entry, out: 'index' }],
    // Wherever it is written to, it is made for one place: the same source makes the same bytes.
    outdir: join(bundles, name),
    absWorkingDir: root,
    bundle: true,
    // A module that is imported when it is needed becomes a file of its own, and so does what it has in common with
    // the index. esbuild splits ES modules alone.
    splitting: true,
    format: 'esm',
    chunkNames: '[name]',
    platform: 'node',
    target: 'node24',
    // The SDK's ESM build can be tree-shaken, its CommonJS build cannot.
    mainFields: ['module', 'main'],
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'inline',
    sourcesContent: false,
    metafile: true,
    write: false,
    plugins: slimming,
    logLevel: 'silent',
  })
  const parts = await Promise.all(outputFiles.map(({ path, text }) => asCommonJs(basename(path), text)))
  const [folder, beside] = [join(to, name), join(`${to}-meta`, name)]
  await Promise.all([mkdir(folder, { recursive: true }), mkdir(beside, { recursive: true })])
  const write = (target: string, content: string) =>
    writeWhole(target, content, join(`${to}-meta`, `.${name}-${basename(target)}.${process.pid}`))
  for (const { file, code, map } of parts) {
    await write(join(folder, file), code)
    await write(join(beside, `${file}.map`), map)
  }
  // Without this file the repository's package.json would make these ES modules.
  await write(join(folder, 'package.json'), '{"type":"commonjs"}')
  await write(join(folder, 'THIRD_PARTY_NOTICES.txt'), await thirdPartyNotices(root, metafile))
  await write(`${beside}.json`, JSON.stringify(metafile))
  const stale = (await readdir(folder)).filter((it) => it.endsWith('.js') && parts.every(({ file }) => file !== it))
  await Promise.all(stale.map((it) => rm(join(folder, it), { force: true })))
  const first = loadedFirst(metafile)
  const bytesOf = (some: typeof parts) => some.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0)
  return {
    name,
    file: join(folder, 'index.js'),
    bytes: bytesOf(parts.filter(({ file }) => first.has(file))),
    later: bytesOf(parts.filter(({ file }) => !first.has(file))),
  }
}

/** In ESM `import 'node:http'` costs 60 ms on Node 24, `require` 8 ms. */
const asCommonJs = async (file: string, module: string): Promise<{ file: string; code: string; map: string }> => {
  const { code, map } = await transform(module, {
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    // Not by the loader of ES modules either.
    supported: { 'dynamic-import': false },
    // As ES modules are.
    banner: '"use strict";',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcefile: file,
    sourcemap: 'external',
    sourcesContent: false,
  })
  return { file, code, map }
}

/** The files of a bundle that are loaded with its index. */
export const loadedFirst = ({ outputs }: Pick<Metafile, 'outputs'>): Set<string> => {
  const index = Object.keys(outputs).filter((path) => basename(path) === 'index.js')
  const found = new Set(index)
  for (const path of found)
    for (const it of outputs[path]?.imports ?? [])
      if (it.kind === 'import-statement' && !it.external) found.add(it.path)
  return new Set([...found].map((path) => basename(path)))
}

/** Written by rename: a test, a synthesis and the lab may bundle at the same time, and none may read half a file. */
const writeWhole = async (file: string, content: string | Uint8Array, draft: string): Promise<void> => {
  await writeFile(draft, content)
  await rename(draft, file)
}

const inKilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, bytes, later } of await bundleAll())
    console.log(`${name.padEnd(14)} ${inKilobytes(bytes)}${later > 0 ? `, and ${inKilobytes(later)} when needed` : ''}`)
}
