import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, parseAllDocuments } from 'yaml'
import { createIfAbsent } from '../../lab/control-plane/crds.ts'
import { type EmbeddedCluster, startEmbedded } from '../../lab/embedded/start.ts'
import type { ClusterSpec } from '../../lab/fixtures/cluster-spec.ts'
import { setPodLogFile } from '../../lab/fixtures/pod-logs.ts'
import { populate } from '../../lab/fixtures/populate.ts'
import type { Report } from '../../shared/domain/report.ts'
import { runHere as run } from '../cli/here.ts'

/**
 * A world and what happened in it, step by step, on an embedded API server whose clock can be set; then what the command
 * line says of it. A folder holds `case.yaml`, and the objects and logs that it names.
 */
interface Case {
  kubernetesVersion: string
  nodePortRange?: { min: number; max: number }
  steps: Step[]
}

interface Step {
  /** How long ago this and what follows is: `-30d`, `-1h`, `now`. */
  at?: string
  /** What `lab/fixtures` makes, in the version of Kubernetes of the case. */
  populate?: Omit<ClusterSpec, 'kubernetesVersion'>
  /** A file of objects. */
  apply?: string
  patch?: { path: string; body: object /** A merge patch unless told. */; type?: string }
  /** Those whose names begin so; their DaemonSet makes them anew. */
  deletePods?: { namespace: string; prefix: string }
  /** Of all pods of the namespace, or of those on the nodes named. */
  logs?: { namespace: string; container: string; nodes?: string[]; file?: string; lines?: string[] }[]
  /** Seconds for controllers and kubelets to act. */
  settle?: number
  run?: string[]
  expect?: Expected
}

/** What a run must answer; what is absent is not compared. */
export interface Expected {
  status: number
  verdict: string
  /** Codes of findings beyond info; `[]`: there are none. */
  findings?: string[]
  /** A part of some remedy. */
  remedy?: string
  /** Verdicts in the order of the nodes' names. */
  nodes?: string[]
  running?: string
  changes?: number
}

export interface Played {
  words: string[]
  status: number | null
  report: Report
  stderr: string
  expected?: Expected
}

const merge = 'application/merge-patch+json'

/** What each `run` of the case answered, in order. */
export async function play(folder: string): Promise<Played[]> {
  const told = parse(readFileSync(join(folder, 'case.yaml'), 'utf8')) as Case
  const { kubernetesVersion, nodePortRange, steps } = told
  const workdir = mkdtempSync(join(tmpdir(), 'case-'))
  let age = 0
  const now = () => new Date(Date.now() - age)
  const cluster = await startEmbedded({
    name: 'case',
    workdir,
    now,
    kubernetesVersion,
    ...(nodePortRange && { nodePortRange }),
  })
  const played: Played[] = []
  try {
    for (const step of steps) {
      if (step.at !== undefined) age = ageOf(step.at)
      await happen(cluster, step, { folder, kubernetesVersion, workdir, now })
      if (step.run)
        played.push({ ...(await ask(cluster, step.run, workdir)), ...(step.expect && { expected: step.expect }) })
    }
    return played
  } finally {
    await cluster.stop()
    rmSync(workdir, { recursive: true })
  }
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

const ageOf = (text: string): number => {
  const [, count, unit = ''] = /^-(\d+)([mhd])$/.exec(text) ?? []
  return count === undefined ? 0 : Number(count) * (units[unit] ?? 0)
}

let files = 0

interface Place {
  folder: string
  kubernetesVersion: string
  workdir: string
  now: () => Date
}

async function happen(cluster: EmbeddedCluster, step: Step, place: Place): Promise<void> {
  const kubernetesVersion = place.kubernetesVersion.replace(/^v|-.*$/g, '')
  if (step.populate) await populate(cluster, { ...step.populate, kubernetesVersion })
  if (step.apply) await apply(cluster, readFileSync(join(place.folder, step.apply), 'utf8'))
  if (step.patch) await cluster.request('PATCH', step.patch.path, step.patch.body, step.patch.type ?? merge)
  if (step.deletePods) await deletePods(cluster, step.deletePods)
  for (const { namespace, container, nodes, file, lines = [] } of step.logs ?? []) {
    const said = file === undefined ? lines : readFileSync(join(place.folder, file), 'utf8').split('\n').filter(Boolean)
    const path = join(place.workdir, `${container}-${(files += 1)}.log`)
    writeFileSync(path, said.map((line) => `${place.now().toISOString()} stdout F ${line}\n`).join(''))
    const pods =
      nodes &&
      (await podsIn(cluster, namespace)).filter(({ name, node }) => name.startsWith(container) && nodes.includes(node))
    await setPodLogFile(cluster, { namespace, container, ...(pods && { pods: pods.map(({ name }) => name) }) }, path)
  }
  await sleep((step.settle ?? 0) * 1_000)
}

interface Applied {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string }
  status?: object
}

async function apply(cluster: EmbeddedCluster, text: string): Promise<void> {
  const objects = parseAllDocuments(text)
    .map((it) => it.toJS() as Applied | null)
    .filter((it) => it !== null)
  const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []))
  for (const name of namespaces)
    await createIfAbsent(cluster, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const object of objects) {
    const { apiVersion, kind, metadata, status } = object
    const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
    const within = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
    const path = `${group}${within}/${kind.toLowerCase()}s`
    await createIfAbsent(cluster, path, object)
    if (status && kind === 'Installation')
      await cluster.request('PATCH', `${path}/${metadata.name}/status`, { status }, merge)
  }
}

async function podsIn(cluster: EmbeddedCluster, namespace: string): Promise<{ name: string; node: string }[]> {
  const { items } = (await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods`)) as {
    items: { metadata: { name: string }; spec: { nodeName: string } }[]
  }
  return items.map(({ metadata, spec }) => ({ name: metadata.name, node: spec.nodeName }))
}

async function deletePods(cluster: EmbeddedCluster, { namespace, prefix }: { namespace: string; prefix: string }) {
  const pods = (await podsIn(cluster, namespace)).filter(({ name }) => name.startsWith(prefix))
  const path = `/api/v1/namespaces/${namespace}/pods`
  await Promise.all(pods.map(({ name }) => cluster.request('DELETE', `${path}/${name}?gracePeriodSeconds=0`)))
}

async function ask(cluster: EmbeddedCluster, told: string[], workdir: string): Promise<Played> {
  const plan = join(workdir, 'plan.json')
  const words = told.map((word) => (word === 'plan.json' ? plan : word))
  const { status, stdout, stderr } = await run([...words, '--kubeconfig', cluster.kubeconfig])
  if (words[0] === 'plan') writeFileSync(plan, stdout)
  try {
    return { words: told, status, report: JSON.parse(stdout) as Report, stderr }
  } catch {
    throw new Error(`${told.join(' ')} answered ${status}: ${stdout}\n${stderr}`)
  }
}
