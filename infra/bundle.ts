import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { slimming } from './slimming.ts'
import { thirdPartyNotices } from './third-party.ts'

export const root = resolve(import.meta.dirname, '..')

/** The path of each function for the stack, the lab and the tests: `<bundles>/<name>/index.js`. */
export const bundles = join(root, 'out/lambda')

export interface Bundle {
  name: string
  file: string
  bytes: number
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
  const file = join(to, name, 'index.js')
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    outfile: file,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node24',
    // In ESM `import 'node:http'` costs 60 ms on Node 24, `require` 8 ms.
    format: 'cjs',
    // The SDK's ESM build can be tree-shaken, its CommonJS build cannot.
    mainFields: ['module', 'main'],
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    write: false,
    plugins: slimming,
    logLevel: 'silent',
  })
  const code = outputFiles.find(({ path }) => path.endsWith('.js'))
  const map = outputFiles.find(({ path }) => path.endsWith('.map'))
  if (!code || !map) throw new Error(`esbuild wrote no code for ${name}; look at ${relative(root, entry)}.`)
  const [folder, beside] = [join(to, name), `${to}-meta`]
  await Promise.all([mkdir(folder, { recursive: true }), mkdir(beside, { recursive: true })])
  const write = (target: string, content: string | Uint8Array) =>
    writeWhole(target, content, join(beside, `.${name}-${basename(target)}.${process.pid}`))
  await write(file, code.contents)
  // Without this file the repository's package.json would make these ES modules.
  await write(join(folder, 'package.json'), '{"type":"commonjs"}')
  await write(join(folder, 'THIRD_PARTY_NOTICES.txt'), await thirdPartyNotices(root, metafile))
  await write(join(beside, `${name}.js.map`), map.contents)
  await write(join(beside, `${name}.json`), JSON.stringify(metafile))
  return { name, file, bytes: code.contents.length }
}

/** Written by rename: a test, a synthesis and the lab may bundle at the same time, and none may read half a file. */
const writeWhole = async (file: string, content: string | Uint8Array, draft: string): Promise<void> => {
  await writeFile(draft, content)
  await rename(draft, file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, bytes } of await bundleAll()) console.log(`${name.padEnd(14)} ${Math.round(bytes / 1000)} kB`)
}
