import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { thirdPartyNotices } from './third-party.ts'

const root = resolve(import.meta.dirname, '..')
const manifest = join(root, 'package.json')
/** The manifest of the sources, while npm packs that of the package. */
const kept = join(root, 'out', 'package.json.of-the-sources')

/** The oldest Node that runs the package; the sources need a newer one, which strips types. */
const oldest = 22

/**
 * Of the Kubernetes client library only the kubeconfig is used, for deprecated `auth-provider`s; the models and clients
 * of its API, which that part imports for a method of its own, are 4 MB.
 */
const kubeconfigOnly: Plugin = {
  name: 'kubeconfig-only',
  setup: (onBuild) => {
    const namespace = 'kubeconfig-only'
    onBuild.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
      path: join(root, 'node_modules/@kubernetes/client-node/dist/config.js'),
    }))
    onBuild.onResolve({ filter: /^\.\/gen\/index\.js$/ }, ({ importer }) =>
      importer.includes('client-node') ? { path: 'clients', namespace } : undefined,
    )
    onBuild.onLoad({ filter: /./, namespace }, () => ({
      contents: `const absent = () => { throw new Error('Clients of the Kubernetes library are left out: infra/package.ts') }
export { absent as createConfiguration, absent as ServerConfiguration }`,
    }))
  },
}

/**
 * Bundles the command line into `dist/`: what each command needs stays a file of its own, loaded when it is needed. The
 * package then depends on nothing.
 */
export const bundleCommandLine = async (to = join(root, 'dist')): Promise<void> => {
  await rm(to, { recursive: true, force: true })
  const { metafile } = await build({
    entryPoints: [join(root, 'cli/main.ts')],
    outdir: to,
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: `node${oldest}`,
    format: 'esm',
    // The SDK's ESM build can be tree-shaken, its CommonJS build cannot.
    mainFields: ['module', 'main'],
    // What is CommonJS inside asks for Node's own modules by `require`.
    banner: { js: `import{createRequire as ownRequire}from'node:module';const require=ownRequire(import.meta.url);` },
    minify: true,
    // Errors are told from each other by name.
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    plugins: [kubeconfigOnly],
    logLevel: 'silent',
  })
  await writeFile(join(to, 'THIRD_PARTY_NOTICES.txt'), await thirdPartyNotices(root, metafile))
}

/** Of the sources alone. */
const ofTheSources = ['dependencies', 'devDependencies', 'optionalDependencies', 'overrides', 'allowScripts', 'scripts']

/** What a package without dependencies says of itself. */
export const packedManifest = (sources: Record<string, unknown>): Record<string, unknown> => ({
  ...Object.fromEntries(Object.entries(sources).filter(([key]) => !ofTheSources.includes(key))),
  engines: { node: `>=${oldest}` },
})

/** Before npm packs. The manifest changes last, so that a bundle that fails leaves everything as it was. */
const prepare = async (): Promise<void> => {
  await restore()
  await bundleCommandLine()
  const text = await readFile(manifest, 'utf8')
  await mkdir(join(root, 'out'), { recursive: true })
  await replace(kept, text)
  await replace(manifest, `${JSON.stringify(packedManifest(JSON.parse(text) as Record<string, unknown>), null, 2)}\n`)
}

/** After npm packed, and before it packs again where it was stopped in between. */
const restore = async (): Promise<void> => {
  if (existsSync(kept)) await rename(kept, manifest)
}

/** Whole or not at all. */
const replace = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text)
  await rename(draft, file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await (process.argv[2] === 'restore' ? restore() : prepare())
