import { cpSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { allPrograms, buildBinary, findBinary, type ProgramName, testedPrograms } from './binaries.ts'
import type { LabCluster } from './cluster.ts'
import { startControlPlane } from './control-plane/start.ts'
import type { ClusterSpec } from './fixtures/cluster-spec.ts'
import { populate } from './fixtures/populate.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

interface UpOptions {
  clusters: number
  nodes: number
  calico: string
  mode: 'iptables' | 'ipvs' | 'nftables'
}

interface BuildOptions {
  into?: string
  all?: true
}

async function build(named: ProgramName[], { into, all }: BuildOptions): Promise<void> {
  const wanted = all ? allPrograms : named.length > 0 ? named : testedPrograms
  for (const name of wanted) {
    const path = await buildBinary(name)
    if (into === undefined) say(`${name}: ${path}`)
    else {
      mkdirSync(into, { recursive: true })
      cpSync(dirname(path), into, { recursive: true })
      say(`${name}: ${join(into, name)}`)
    }
  }
}

function status(): void {
  for (const name of allPrograms) say(`${name}: ${findBinary(name) ?? 'not built yet'}`)
}

async function up(options: UpOptions): Promise<void> {
  await buildBinary('kubelab')
  const workdir = mkdtempSync(join(tmpdir(), 'calico-ipvs-sync-lab-'))
  const clusters: LabCluster[] = []
  const stopped = new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  try {
    for (let index = 1; index <= options.clusters; index += 1) {
      const cluster = await startControlPlane({ name: `lab-${index}`, workdir })
      clusters.push(cluster)
      await populate(cluster, specOf(options))
      say(`${cluster.name}: ${cluster.server}  kubectl --kubeconfig ${cluster.kubeconfig} get nodes`)
    }
    say('Ctrl-C takes it all down.')
    await stopped
  } finally {
    await Promise.all(clusters.map((cluster) => cluster.stop()))
    say(`Logs are in ${workdir}.`)
  }
}

const specOf = ({ nodes, calico, mode }: UpOptions): ClusterSpec => ({
  nodes,
  kubernetesVersion: '1.36.3',
  kubeProxy: { mode },
  calico: { version: calico, install: 'operator' },
})

function count(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a number from 1 up.')
}

const program = new Command('lab').description('A cloud on this machine.')
program
  .command('build')
  .description('builds the programs that are not there yet: those named, or else those that the tests run on')
  .addArgument(new Argument('[programs...]').choices(allPrograms))
  .option('--all', 'every program there is')
  .option('--into <folder>', 'copies them there, with all they need, for LAB_BIN on another machine')
  .action(build)
program.command('status').description('says where the programs are').action(status)
program
  .command('up')
  .description('brings up real clusters with simulated nodes, until Ctrl-C')
  .option('--clusters <count>', 'how many', count, 1)
  .option('--nodes <count>', 'nodes in each', count, 5)
  .option('--calico <version>', 'the version of Calico', 'v3.28.2')
  .option('--mode <mode>', "kube-proxy's mode: iptables, ipvs or nftables", 'ipvs')
  .action(up)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
