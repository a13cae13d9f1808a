import type { Cloud } from '../../../lab/aws/cloud.ts'
import { parseFields } from '../../../lab/aws/json.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import type { EmbeddedCluster } from '../../../lab/embedded/start.ts'
import { assemble, raise } from '../../flow/guards-stage.ts'
import { touch } from '../fleet/storm.ts'
import { compared, interleaved, type Result } from './comparison.ts'
import { stageFolder } from './stage-folder.ts'

/** For the figure below which 19 of 20 lie. */
const timesRounds = 4
const functions = ['OnEvent', 'Evaluate', 'RolloutStep']
const kinds = ['cold', 'warm'] as const
type Kind = (typeof kinds)[number]

interface Options {
  rounds: number
  workdir: string
  progress: (text: string) => void
}

/** From one event of a cluster that is out of step to what it led to; milliseconds. */
interface Path {
  toDecision: number
  toWrite: number
  /** Of both, the time within functions, with the starts of their processes. */
  insideToDecision: number
  insideToWrite: number
  /** From the beginning of a step to that of the next, which its message asked for at once, and what of it the step took. */
  steps: { through: number; own: number }[]
}

/**
 * One event after the other, each of another cluster, through rule, queues and bundles: once with no process of a function,
 * once with those that the event before has left.
 */
export async function paths({ rounds, workdir, progress }: Options): Promise<Result[]> {
  const count = rounds * timesRounds
  progress(`${2 * count} events, each of a cluster of its own, through rule, queues and functions`)
  const folder = await stageFolder(workdir)
  const stamped: Stamped[] = []
  const onMoment = (moment: Moment): void => void stamped.push({ at: Date.now(), moment })
  // `interleaved` has one round more, which does not count.
  const names = kinds.flatMap((kind) => Array.from({ length: count + 1 }, (_, at) => nameOf(kind, at)))
  const stage = await raise(await assemble(folder), names, 3, { onMoment, environments: 1 })
  try {
    stage.deploy({ canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
    const next = { cold: 0, warm: 0 }
    const goOnce = async (kind: Kind): Promise<Path> => {
      const name = nameOf(kind, next[kind])
      next[kind] += 1
      if (kind === 'cold') for (const label of functions) await stage.cloud.kill(label)
      const cluster = stage.clusters.find((it) => it.name === name) as EmbeddedCluster
      return pathOf(stage.cloud, cluster, stamped)
    }
    const runs = await interleaved(count, { cold: () => goOnce('cold'), warm: () => goOnce('warm') })
    return resultsOf(runs['cold'] ?? [], runs['warm'] ?? [])
  } finally {
    await stage.stop()
  }
}

/** Of equal length, so that none is the beginning of another. */
const nameOf = (kind: Kind, at: number): string => `${kind}-${String(at).padStart(4, '0')}`

interface Stamped {
  at: number
  moment: Moment
}

async function pathOf(cloud: Cloud, cluster: EmbeddedCluster, stamped: readonly Stamped[]): Promise<Path> {
  const from = stamped.length
  const began = Date.now()
  touch(cloud, cluster.name)
  await cloud.idle()
  const since = stamped.slice(from)
  const decided = since.find((it) => isDecision(it, cluster.name))?.at
  const [write] = cluster.faults
    .requests({ method: 'POST', path: /\/felixconfigurations/ })
    .filter(({ at }) => at.getTime() >= began)
  if (decided === undefined || write === undefined) throw new Error(`The event of ${cluster.name} led to no change`)
  const runs = since.flatMap((it) => runOf(it, cluster.name))
  const written = write.at.getTime()
  return {
    toDecision: decided - began,
    toWrite: written - began,
    insideToDecision: covered(runs, decided),
    insideToWrite: covered(runs, written),
    steps: stepsOf(runs),
  }
}

const isDecision = ({ moment }: Stamped, name: string): boolean => {
  const line = moment.kind === 'log' && moment.function === 'Evaluate' ? parseFields(moment.line) : undefined
  return line?.['message'] === 'assessed' && String(line['cluster']).endsWith(`/${name}`)
}

interface FunctionRun {
  label: string
  started: number
  ended: number
}

/** With the start of its process, where it had none. */
const runOf = ({ at, moment }: Stamped, name: string): FunctionRun[] => {
  if (moment.kind !== 'invocation' || !functions.includes(moment.name)) return []
  if (!JSON.stringify(moment.event).includes(name)) return []
  return [{ label: moment.name, started: at - moment.duration - (moment.coldStart ?? 0), ended: at }]
}

/** A function may still run when the next has its message. */
const covered = (runs: readonly FunctionRun[], end: number): number => {
  let [sum, until] = [0, 0]
  for (const { started, ended } of runs.toSorted((a, b) => a.started - b.started)) {
    const last = Math.min(ended, end)
    sum += Math.max(0, last - Math.max(started, until))
    until = Math.max(until, last)
  }
  return sum
}

/** After a wait it is an evaluation that asks for the next step. */
const stepsOf = (runs: readonly FunctionRun[]): Path['steps'] =>
  runs.flatMap((run, at) => {
    const next = runs[at + 1]
    if (run.label !== 'RolloutStep' || next?.label !== 'RolloutStep') return []
    return [{ through: next.started - run.started, own: run.ended - run.started }]
  })

function resultsOf(cold: readonly Path[], warm: readonly Path[]): Result[] {
  const ofKind = (kind: Kind, runs: readonly Path[]): Result[] => [
    ...middleAndMost(`event to decision, ${kind}`, {
      ours: runs.map((it) => it.toDecision),
      other: runs.map((it) => it.insideToDecision),
      otherName: 'of it within the functions',
    }),
    ...middleAndMost(`event to first write, ${kind}`, {
      ours: runs.map((it) => it.toWrite),
      other: runs.map((it) => it.insideToWrite),
      otherName: 'of it within the functions',
    }),
  ]
  const steps = [...cold, ...warm].flatMap((it) => it.steps)
  return [
    ...ofKind('warm', warm),
    ...ofKind('cold', cold),
    ...middleAndMost('event to first write, without a process', {
      ours: cold.map((it) => it.toWrite),
      other: warm.map((it) => it.toWrite),
      otherName: 'with the processes of the event before',
    }),
    ...middleAndMost('a step with its way through the queue', {
      ours: steps.map(({ through }) => through),
      other: steps.map(({ own }) => own),
      otherName: 'the step alone',
    }),
  ]
}

const middleAndMost = (name: string, runs: { ours: number[]; other: number[]; otherName: string }): Result[] => [
  compared({ name, unit: 'ms', ...runs }),
  compared({ name: `${name}, 19 of 20`, unit: 'ms', ...runs, part: 0.95 }),
]
