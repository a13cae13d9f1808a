import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findBinary } from '../../../lab/binaries.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { startControlPlane } from '../../../lab/control-plane/start.ts'
import { type EmbeddedCluster, startEmbedded } from '../../../lab/embedded/start.ts'
import { compared, interleaved, type Result } from './comparison.ts'
import { addOtherPods, makeMixedCluster } from './mixed-cluster.ts'
import { mixedNodes } from './mixed-plan.ts'
import { type Command, type Run, runMeasured } from './run-measured.ts'

const floor = fileURLToPath(new URL('./floor-client.mjs', import.meta.url))
const kubectl = 'kubectl get nodes,pods -A -o json'
const floorName = 'the same reads and nothing else'
/** As many pages of a list as a check reads besides its first requests. */
const pageSize = 500
const requestsAtMost = 12

/** The most that a check may take beside the others, by the number of nodes. */
const bounds: Record<number, { floorTime?: number; floorMemory?: number; kubectlTime?: number }> = {
  0: { floorTime: 1.4 },
  500: { floorTime: 1.25, floorMemory: 1.15, kubectlTime: 0.2 },
  5_000: { floorTime: 1.4, kubectlTime: 0.05 },
}
const memoryOfMany = 1.25

interface Options {
  sizes: readonly number[]
  rounds: number
  /** The embedded API server, also where the real one is built. */
  embedded: boolean
  workdir: string
  launcher: string
  progress: (text: string) => void
}

/** One check as a whole process, for each number of nodes, beside the same reads alone and beside kubectl. */
export async function checks({ sizes, ...options }: Options): Promise<Result[]> {
  const results: Result[] = []
  const peaks = new Map<number, number[]>()
  for (const nodes of sizes) {
    const { found, peaksMb } = await checksOf(nodes, options)
    results.push(...found)
    peaks.set(nodes, peaksMb)
  }
  const [few, many] = [peaks.get(500) ?? [], peaks.get(5_000) ?? []]
  if (few.length === 0 || many.length === 0) return results
  const name = 'check of 5,000 nodes, memory'
  return [
    ...results,
    compared({ name, unit: 'MB', ours: many, other: few, otherName: 'check of 500 nodes', bound: memoryOfMany }),
  ]
}

async function checksOf(
  nodes: number,
  { rounds, embedded, workdir, launcher, progress }: Omit<Options, 'sizes'>,
): Promise<{ found: Result[]; peaksMb: number[] }> {
  const folder = mkdtempSync(join(workdir, 'cluster-'))
  // The real one takes half an hour for thousands of nodes.
  const isReal = !embedded && nodes <= 500 && findBinary('kubelab') !== undefined
  const server = isReal ? 'kube-apiserver' : 'the embedded API server'
  progress(`a cluster of ${nodes} nodes and ${2 * nodes} other pods on ${server}`)
  const cluster = await (isReal ? startControlPlane : startEmbedded)({ name: 'bench', workdir: folder })
  try {
    const drawn = mixedNodes(nodes, 20_261_123)
    await makeMixedCluster(cluster, drawn)
    await addOtherPods(cluster, drawn, { first: 0, count: 2 * nodes })
    const commands = commandsFor(cluster, launcher)
    const runs = await interleaved(
      rounds,
      Object.fromEntries(Object.entries(commands).map(([name, it]) => [name, () => runMeasured(it)])),
    )
    const found = [
      ...resultsOf(nodes, runs),
      ...(isReal ? [] : [await requestsOf(nodes, cluster as EmbeddedCluster, launcher)]),
    ]
    return { found, peaksMb: peaksOf(runs['check']) }
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function commandsFor(
  { server, adminToken: token, caData, kubeconfig }: LabCluster,
  launcher: string,
): Record<string, Command> {
  const access = JSON.stringify({ server, token, ca: Buffer.from(caData, 'base64').toString() })
  return {
    check: {
      file: process.execPath,
      words: [launcher, 'check', '--kubeconfig', kubeconfig, '-o', 'json', '--quiet'],
      // Which verdict it is, the tests say.
      answers: [1, 2],
    },
    [floorName]: { file: process.execPath, words: [floor], env: { FLOOR: access } },
    ...(spawnSync('kubectl', ['version', '--client']).status === 0 && {
      [kubectl]: { file: 'kubectl', words: ['--kubeconfig', kubeconfig, 'get', 'nodes,pods', '-A', '-o', 'json'] },
    }),
  }
}

const timesOf = (runs: readonly Run[] = []): number[] => runs.map(({ milliseconds }) => milliseconds)
const peaksOf = (runs: readonly Run[] = []): number[] => runs.flatMap(({ peakMb }) => peakMb ?? [])

function resultsOf(nodes: number, runs: Record<string, Run[]>): Result[] {
  const what = `check of ${nodes.toLocaleString('en')} nodes`
  const { floorTime, floorMemory, kubectlTime } = bounds[nodes] ?? {}
  const beside = (otherName: string, time?: number, memory?: number): Result[] => {
    const [ours, other] = [runs['check'], runs[otherName]]
    if (!other) return []
    const peaks = peaksOf(ours).length > 0 && { ours: peaksOf(ours), other: peaksOf(other) }
    return [
      compared({
        name: `${what}, time`,
        unit: 'ms',
        ours: timesOf(ours),
        other: timesOf(other),
        otherName,
        ...bound(time),
      }),
      ...(peaks ? [compared({ name: `${what}, memory`, unit: 'MB', ...peaks, otherName, ...bound(memory) })] : []),
    ]
  }
  return [...beside(floorName, floorTime, floorMemory), ...beside(kubectl, kubectlTime)]
}

const bound = (it: number | undefined) => it !== undefined && { bound: it }

/** Requests of one check, beside what it may need: twelve, and one for each further page of nodes and of the pods on them. */
async function requestsOf(nodes: number, cluster: EmbeddedCluster, launcher: string): Promise<Result> {
  cluster.faults.forget()
  const { check } = commandsFor(cluster, launcher)
  if (check) await runMeasured(check)
  const pages = Math.max(1, Math.ceil(nodes / pageSize))
  return compared({
    name: `check of ${nodes.toLocaleString('en')} nodes, requests`,
    unit: 'requests',
    ours: [cluster.faults.count()],
    // Nodes, pods of kube-proxy and of Calico, overrides.
    other: [requestsAtMost + 4 * (pages - 1)],
    otherName: 'twelve, and four for each further page',
    bound: 1,
  })
}
