import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EksStandIn, startEks } from '../../../lab/aws/eks.ts'
import { createKeyring } from '../../../lab/aws/keyring.ts'
import { startSts } from '../../../lab/aws/sts.ts'
import { type EmbeddedCluster, startEmbedded } from '../../../lab/embedded/start.ts'
import { applyManifests } from '../../../lab/fixtures/manifests.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import type { Sweep } from '../../../shared/domain/report.ts'
import { compared, interleaved, type Result } from './comparison.ts'
import { custodian } from './custodian/custodian.ts'
import { type Command, type Run, runMeasured } from './run-measured.ts'

const floor = fileURLToPath(new URL('./floor-sweep.mjs', import.meta.url))
const floorName = 'the same calls and nothing else'
const awsMilliseconds = 30
/** As many clusters as a sweep reads at one time. */
const atOnce = 8
const account = '111122223333'
/** Clusters that answer, and as many whose API servers nobody reaches: what a sweep of them takes is AWS's part. */
const [there, unreachable] = ['eu-west-1', 'eu-central-1']

const timeAtMost = 1.2
const custodianAtMost = 0.4
/** The same, but for what a collection of garbage leaves. */
const memoryAtMost = 1.1

interface Options {
  sizes: readonly number[]
  rounds: number
  workdir: string
  launcher: string
  progress: (text: string) => void
  /** Told of what cannot be measured on this machine, and why. */
  missing: (text: string) => void
}

/** Sweeps of fleets, beside the same calls alone; the first also beside Cloud Custodian, which asks EKS alone. */
export async function sweeps({ sizes, ...options }: Options): Promise<Result[]> {
  const workdir = mkdtempSync(join(options.workdir, 'fleet-'))
  const cluster = await startCluster(workdir)
  try {
    const results: Result[] = []
    const peaks: number[][] = []
    for (const size of sizes) {
      const { found, peaksMb } = await sweepsOf(size, cluster, { ...options, workdir, isFirst: peaks.length === 0 })
      results.push(...found)
      peaks.push(peaksMb)
    }
    return [...results, ...memoryOf(sizes, peaks)]
  } finally {
    await cluster.stop()
    rmSync(workdir, { recursive: true, force: true })
  }
}

/** All clusters of the fleet are one API server: what is measured is the fleet, not the look. */
const startCluster = async (workdir: string): Promise<EmbeddedCluster> => {
  const viewers = { username: 'viewer', groups: ['calico-ipvs-sync-viewers', 'system:authenticated'] }
  const authenticate = async () => viewers
  const cluster = await startEmbedded({ name: 'fleet', workdir, kubernetesVersion: 'v1.35.2', authenticate })
  const calico = { version: 'v3.28.4', install: 'operator' } as const
  await populate(cluster, { nodes: 2, kubernetesVersion: '1.35.2', kubeProxy: { mode: 'iptables' }, calico })
  await applyManifests(cluster)
  return cluster
}

type Sized = Omit<Options, 'sizes'> & { isFirst: boolean }

async function sweepsOf(
  size: number,
  cluster: EmbeddedCluster,
  { rounds, workdir, launcher, progress, missing, isFirst }: Sized,
): Promise<{ found: Result[]; peaksMb: number[] }> {
  progress(`a sweep of ${size} clusters, ${awsMilliseconds} ms for each call of AWS`)
  const keyring = createKeyring()
  const clusters = [there, unreachable].flatMap((region) => fleetIn(region, size, cluster))
  const [eks, sts] = await Promise.all([
    startEks({ keyring, place: { account, region: there }, clusters }),
    startSts({ keyring }),
  ])
  try {
    eks.setLatency(awsMilliseconds)
    const { accessKeyId, secretAccessKey, sessionToken } = keyring.forUser(`arn:aws:iam::${account}:user/alice`)
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL_EKS: eks.url,
      AWS_ENDPOINT_URL_STS: sts.url,
    }
    const sweep = (region: string): Command => ({
      file: process.execPath,
      words: [launcher, 'sweep', '--region', region, '-o', 'json', '--quiet'],
      env,
      answers: [1, 2],
    })
    const access = JSON.stringify({ url: eks.url, region: there, accessKeyId, sessionToken, atOnce })
    const alone: Command = { file: process.execPath, words: [floor], env: { FLOOR: access } }
    await expectRows(sweep(there), size)
    const asked = await requestsOf(size, { eks, cluster }, { ours: sweep(there), other: alone })
    const other = isFirst ? await whereThereIsPython(() => custodian(unreachable, workdir), missing) : undefined
    const commands = {
      sweep: sweep(there),
      [floorName]: alone,
      ...(other && { aws: sweep(unreachable), custodian: { ...other.command, env: { ...env, ...other.command.env } } }),
    }
    const runs = await interleaved(
      rounds,
      Object.fromEntries(Object.entries(commands).map(([name, it]) => [name, () => runMeasured(it)])),
    )
    if (other && other.described() !== size)
      throw new Error(`Cloud Custodian described ${other.described()} of ${size} clusters`)
    return { found: [...resultsOf(size, runs), ...asked], peaksMb: peaksOf(runs['sweep']) }
  } finally {
    await Promise.all([eks.stop(), sts.close()])
  }
}

const fleetIn = (region: string, size: number, { server, caData }: EmbeddedCluster) =>
  Array.from({ length: size }, (_, at) => ({
    name: `cluster-${at}`,
    account,
    region,
    version: '1.35',
    caData,
    endpoint: region === there ? server : 'https://127.0.0.1:9',
    addons: [{ name: 'kube-proxy', version: 'v1.35.2-eksbuild.4', configurationValues: '{"mode":"iptables"}' }],
  }))

/** A sweep that fails is fast: it must have a row for each cluster, and each in step. */
const expectRows = async ({ file, words, env }: Command, size: number): Promise<void> => {
  const stdout = await new Promise<string>((resolve) => {
    execFile(file, words, { env: { ...env, PATH: process.env['PATH'] }, maxBuffer: 2 ** 30 }, (_, text) =>
      resolve(text),
    )
  })
  const { clusters } = JSON.parse(stdout) as Sweep
  const right = clusters.filter(({ verdict }) => verdict === 'in-step').length
  if (right !== size) throw new Error(`${right} of ${size} clusters are in step, and all of them are`)
}

const whereThereIsPython = async <T>(bring: () => Promise<T>, missing: Options['missing']): Promise<T | undefined> => {
  try {
    return await bring()
  } catch (error) {
    missing(`Cloud Custodian: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** What one run of each asks. */
async function requestsOf(
  size: number,
  { eks, cluster }: { eks: EksStandIn; cluster: EmbeddedCluster },
  commands: { ours: Command; other: Command },
): Promise<Result[]> {
  const counted = async (command: Command): Promise<{ aws: number; kubernetes: number }> => {
    const calls = (): number => Object.values(eks.calls).reduce((sum, count) => sum + count, 0)
    const before = calls()
    cluster.faults.forget()
    await runMeasured(command)
    return { aws: calls() - before, kubernetes: cluster.faults.count() }
  }
  const [ours, other] = [await counted(commands.ours), await counted(commands.other)]
  const beside = (what: string, of: 'aws' | 'kubernetes'): Result =>
    compared({
      name: `${nameOf(size)}, requests to ${what}`,
      unit: 'requests',
      ours: [ours[of]],
      other: [other[of]],
      otherName: floorName,
    })
  return [beside('AWS', 'aws'), beside('Kubernetes', 'kubernetes')]
}

const nameOf = (size: number): string => `sweep of ${size.toLocaleString('en')} clusters`
const timesOf = (runs: readonly Run[] = []): number[] => runs.map(({ milliseconds }) => milliseconds)
const peaksOf = (runs: readonly Run[] = []): number[] => runs.flatMap(({ peakMb }) => peakMb ?? [])

function resultsOf(size: number, runs: Record<string, Run[]>): Result[] {
  const peaks = { ours: peaksOf(runs['sweep']), other: peaksOf(runs[floorName]) }
  return [
    compared({
      name: `${nameOf(size)}, time`,
      unit: 'ms',
      ours: timesOf(runs['sweep']),
      other: timesOf(runs[floorName]),
      otherName: floorName,
      bound: timeAtMost,
    }),
    ...(peaks.ours.length > 0
      ? [compared({ name: `${nameOf(size)}, memory`, unit: 'MB', ...peaks, otherName: floorName })]
      : []),
    ...(runs['custodian']
      ? [
          compared({
            name: `${nameOf(size)} whose API servers are out of reach, time`,
            unit: 'ms',
            ours: timesOf(runs['aws']),
            other: timesOf(runs['custodian']),
            otherName: 'Cloud Custodian, which asks EKS alone',
            bound: custodianAtMost,
          }),
        ]
      : []),
  ]
}

/** Of the largest fleet beside the smallest. */
function memoryOf(sizes: readonly number[], peaks: readonly (readonly number[])[]): Result[] {
  const [few, many] = [peaks[0] ?? [], peaks.at(-1) ?? []]
  if (sizes.length < 2 || few.length === 0 || many.length === 0) return []
  return [
    compared({
      name: `${nameOf(sizes.at(-1) ?? 0)}, memory`,
      unit: 'MB',
      ours: many,
      other: few,
      otherName: nameOf(sizes[0] ?? 0),
      bound: memoryAtMost,
    }),
  ]
}
