import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { arch, cpus, loadavg, platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { root } from '../../infra/bundle.ts'
import { coldImports, coldStart, empty, functionFolders } from './bench/cold-starts.ts'
import { addOtherPods, makeMixedCluster } from './bench/mixed-cluster.ts'
import { mixedNodes } from './bench/mixed-plan.ts'
import { type Command as Measured, type Run, runMeasured } from './bench/run-measured.ts'
import { type Row, rowsOf, type Subject, tableOf } from './bench/table.ts'
import { findBinary } from '../../lab/binaries.ts'
import type { LabCluster } from '../../lab/cluster.ts'
import { startControlPlane } from '../../lab/control-plane/start.ts'
import { startEmbedded } from '../../lab/embedded/start.ts'

interface Options {
  nodes: number
  rounds: number
  embedded?: boolean
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const progress = (text: string): void => void process.stderr.write(`${text}\n`)

/** Round after round, each subject once in every round, so that what else the machine does falls on all of them alike. */
async function rounds(count: number, subjects: ReadonlyMap<string, () => Promise<Run>>): Promise<Subject[]> {
  const runs = new Map([...subjects.keys()].map((name) => [name, [] as Run[]]))
  // One round that does not count fills caches, those of compiled code among them.
  for (let round = -1; round < count; round += 1) {
    progress(round < 0 ? 'warming up' : `round ${round + 1} of ${count}`)
    for (const [name, run] of subjects) {
      const measured = await run()
      if (round >= 0) runs.get(name)?.push(measured)
    }
  }
  return [...runs].map(([name, all]) => ({ name, runs: all }))
}

async function checks(cluster: LabCluster, count: number): Promise<Row[]> {
  const launcher = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url))
  const floor = fileURLToPath(new URL('./bench/floor-client.mjs', import.meta.url))
  const { server, adminToken: token, caData, kubeconfig } = cluster
  const access = JSON.stringify({ server, token, ca: Buffer.from(caData, 'base64').toString() })
  const commands: Record<string, Measured> = {
    'calico-ipvs-sync check': {
      file: process.execPath,
      words: [launcher, 'check', '--kubeconfig', kubeconfig, '-o', 'json', '--quiet'],
      answers: [1],
    },
    'floor client: the same reads, no answer': { file: process.execPath, words: [floor], env: { FLOOR: access } },
    ...(spawnSync('kubectl', ['version', '--client']).status === 0 && {
      'kubectl get nodes,pods -A -o json': {
        file: 'kubectl',
        words: ['--kubeconfig', kubeconfig, 'get', 'nodes,pods', '-A', '-o', 'json'],
      },
    }),
  }
  const subjects = Object.entries(commands).map(([name, it]) => [name, () => runMeasured(it)] as const)
  return rowsOf(await rounds(count, new Map(subjects)))
}

async function coldStarts(folders: ReadonlyMap<string, string>, count: number): Promise<Row[]> {
  const subjects = [...folders].map(
    ([name, folder]) => [name, async () => ({ milliseconds: await coldStart(folder) })] as const,
  )
  return rowsOf(await rounds(count, new Map(subjects)))
}

async function bench({ nodes, rounds: count, embedded }: Options): Promise<void> {
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-bench-'))
  const isReal = embedded !== true && findBinary('kubelab') !== undefined
  let cluster: LabCluster | undefined
  try {
    progress(`a cluster of ${nodes} nodes (${isReal ? 'the real control plane' : 'the embedded API server'})`)
    cluster = await (isReal ? startControlPlane : startEmbedded)({ name: 'bench', workdir })
    const drawn = mixedNodes(nodes, 20_261_123)
    await makeMixedCluster(cluster, drawn)
    await addOtherPods(cluster, drawn, { first: 0, count: nodes })
    const check = await checks(cluster, count)
    await cluster.stop()
    cluster = undefined
    const folders = await functionFolders(workdir)
    const coldStart = await coldStarts(folders, count)
    const coldImport = rowsOf(await rounds(count, await coldImports(folders, workdir)))
    report({ nodes, rounds: count, isReal, check, coldStart, coldImport })
  } finally {
    await cluster?.stop()
    rmSync(workdir, { recursive: true, force: true })
  }
}

interface Results {
  nodes: number
  rounds: number
  isReal: boolean
  check: Row[]
  coldStart: Row[]
  coldImport: Row[]
}

function report({ nodes, rounds: count, isReal, ...measured }: Results): void {
  const server = isReal ? 'kube-apiserver' : 'the embedded API server'
  const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', platform: platform(), arch: arch() }
  const load = loadavg().map((it) => Math.round(it * 100) / 100)
  say(tableOf(`\nOne cluster of ${nodes} nodes and ${nodes} other pods on ${server}, whole processes`, measured.check))
  say(tableOf(`\nCold start under AWS's runtime client, beside the ${empty}`, measured.coldStart))
  say(tableOf('\nCold import by Node alone, beside the same function bundled without care', measured.coldImport))
  say(
    `\nMedians of ${count} rounds on one noisy machine (${machine.cpus} CPUs, load ${load.join(' ')}): compare figures of one run with each other, never with another machine's.`,
  )
  const folder = join(root, 'out/bench')
  mkdirSync(folder, { recursive: true })
  const results = { at: new Date().toISOString(), machine, load, nodes, rounds: count, server, ...measured }
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  say('Written to out/bench/results.json')
}

function whole(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 to 9999.')
}

try {
  await new Command('bench')
    .description('How long a check takes beside what reading alone takes, and functions beside an empty one.')
    .option('--nodes <count>', 'nodes of the cluster', whole, 500)
    .option('--rounds <count>', 'how often each is measured', whole, 5)
    .option('--embedded', 'the embedded API server, also where the real one is built')
    .action(bench)
    .parseAsync()
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
