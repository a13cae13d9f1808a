import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../infra/bundle.ts'
import { findBinary } from '../../lab/binaries.ts'
import { startControlPlane } from '../../lab/control-plane/start.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'

// What a library would cost where this project has code of its own: the figures in docs/adr. Libraries that are no dependency are taken
// from out/libraries, and left out where they are not there.
const libraries = join(root, 'out/libraries/node_modules')
const say = (text: string): void => void process.stdout.write(`${text}\n`)

interface Subject {
  what: string
  code: string
}

const kubernetes = '@kubernetes/client-node'
const subjects: Subject[] = [
  { what: 'Kubernetes client, ours', code: `export { kubeClient } from './shared/clients/kube/open.ts'` },
  {
    what: `Kubernetes client, ${kubernetes}`,
    code: `export { KubeConfig, CoreV1Api, AppsV1Api, CoordinationV1Api, CustomObjectsApi } from '${kubernetes}'`,
  },
  {
    what: 'kubeconfig, ours',
    code: `export { clusterFromKubeconfig } from './shared/clients/kubeconfig/load.ts'`,
  },
  { what: `kubeconfig, ${kubernetes}`, code: `export { KubeConfig } from '${kubernetes}'` },
  { what: "Go's regular expressions, ours", code: `export { compileGo } from './shared/domain/felix/regex.ts'` },
  ...(existsSync(join(libraries, 're2js'))
    ? [{ what: "Go's regular expressions, re2js", code: `export { RE2JS } from 're2js'` }]
    : []),
]

/** Bundled as the functions are, but for what `infra/slimming.ts` does. */
async function bundled({ what, code }: Subject, folder: string): Promise<string> {
  const outfile = join(folder, `${what.replaceAll(/\W+/g, '-')}.cjs`)
  await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    nodePaths: [libraries],
    // Our reader of kubeconfigs loads the library only for the auth providers of old.
    external: what.endsWith('ours') ? [kubernetes] : [],
    logLevel: 'silent',
  })
  return outfile
}

const load = 'const begin = performance.now(); require(process.argv[1]); console.log(performance.now() - begin)'

/** Milliseconds of the fastest of five processes that load it: what else the machine does can only add. */
const coldImport = (file: string): number =>
  Math.min(...Array.from({ length: 5 }, () => Number(execFileSync(process.execPath, ['-e', load, file]).toString())))

/** Milliseconds until it has answered its first request. */
async function started(start: typeof startEmbedded | typeof startControlPlane, workdir: string): Promise<number> {
  const begin = performance.now()
  const cluster = await start({ name: 'costs', workdir })
  const milliseconds = performance.now() - begin
  await cluster.stop()
  return milliseconds
}

const folder = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-costs-'))
try {
  say('bundle, minified   cold import')
  for (const subject of subjects) {
    const file = await bundled(subject, folder)
    const kilobytes = `${(readFileSync(file).length / 1000).toFixed(0)} kB`
    say(`${kilobytes.padStart(16)}${`${coldImport(file).toFixed(0)} ms`.padStart(14)}   ${subject.what}`)
  }
  say('\nstart of an API server')
  say(`${`${(await started(startEmbedded, folder)).toFixed(0)} ms`.padStart(16)}   the embedded one`)
  if (findBinary('kubelab'))
    say(`${`${(await started(startControlPlane, folder)).toFixed(0)} ms`.padStart(16)}   kube-apiserver and etcd`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
