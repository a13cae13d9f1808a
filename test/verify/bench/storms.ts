import { parseConfig } from '../../../infra/config.ts'
import type { Moment } from '../../../lab/aws/moment.ts'
import { assemble, raise } from '../../flow/guards-stage.ts'
import { storm } from '../fleet/storm.ts'
import { compared, type Result } from './comparison.ts'
import { stageFolder } from './stage-folder.ts'

const evaluationsAtMost = 3
/** On a machine whose two cores the functions share with all that they call. */
const noiseAtMost = 1.25
const stormy = 'stormy'
/** Other clusters, each with one event: some among events that are of no cluster, as many among those of the storm. */
const [calm, stirred] = ['calm', 'stirred'].map((kind) => Array.from({ length: 8 }, (_, at) => `${kind}-${at}`)) as [
  string[],
  string[],
]
/** For the functions to be warm. */
const first = 'first'
const others = [first, ...calm, ...stirred]

interface Options {
  events: number
  workdir: string
  progress: (text: string) => void
}

/** Many events of one cluster at once: what they lead to, and how long events of other clusters wait meanwhile. */
export async function storms({ events, workdir, progress }: Options): Promise<Result[]> {
  progress(`${events} events of one cluster`)
  const { gapSeconds } = parseConfig({}).events
  const moments: Moment[] = []
  const onMoment = (moment: Moment): void => void moments.push(moment)
  const folder = await stageFolder(workdir)
  const stage = await raise(await assemble(folder, { events: { gapSeconds } }), [stormy, ...others], 3, { onMoment })
  try {
    stage.deploy({ canarySeconds: 1, settleSeconds: 1, nodeDeadlineSeconds: 60, clustersAtOnce: 2 })
    // The others are only looked at: their rollouts would be a second thing that is measured.
    for (const name of others) Object.assign(stage.cloud.eks.cluster(name)?.cluster.tags ?? {}, tag)
    // The machine has as much to do with events that lead to nothing.
    const without = await storm(stage.cloud, moments, { events, stormy: '', before: [first], during: calm })
    const within = await storm(stage.cloud, moments, { events, stormy, before: [], during: stirred })
    const { evaluations, rollouts } = within
    if (evaluations === 0 || rollouts === 0) throw new Error('The storm led to nothing')
    const name = `${events.toLocaleString('en')} events of one cluster`
    return [
      compared({
        name: `${name}, evaluations`,
        unit: 'times',
        ours: [evaluations],
        other: [evaluationsAtMost],
        otherName: 'what they may lead to',
        bound: 1,
      }),
      compared({
        name: `${name}, rollouts`,
        unit: 'times',
        ours: [rollouts],
        other: [1],
        otherName: 'the one that is needed',
        bound: 1,
      }),
      compared({
        name: `${name}, evaluation of another cluster from its request to its end`,
        unit: 'ms',
        ours: within.otherTook.during,
        other: without.otherTook.during,
        otherName: 'among as many events of no cluster',
        bound: noiseAtMost,
      }),
    ]
  } finally {
    await stage.stop()
  }
}

const tag = { 'calico-ipvs-sync': 'report' }
