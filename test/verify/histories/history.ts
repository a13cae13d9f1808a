import { clusterKey } from '../../../shared/messages.ts'
import { type Armed, setRange, type World } from './acts.ts'
import { auditLines, bridge, callEvent, sweeps } from './bridge.ts'
import { partyOf } from './call.ts'
import { disturb, watchOf } from './chance.ts'
import { clusterOf } from './cluster.ts'
import { deploymentOf } from './deployment.ts'
import { checkEnd, permitsComeHome } from './ends.ts'
import { fleetOf } from './fleet.ts'
import { hubOf } from './hub.ts'
import { places, policyOf, rulesOf } from './inputs.ts'
import { onlookerOf } from './invariants.ts'
import { mend } from './mend.ts'
import { queuesOf } from './queues.ts'
import { checkReaders } from './readers.ts'
import { beginning, eventsAtMost, type Fall, type Line, type Stage, stageOf } from './stage.ts'
import { tableOf } from './table.ts'
import { terminalsOf } from './terminal.ts'
import { type Published, topicOf } from './topic.ts'

export interface History {
  seed: number
  events: number
  faults: Record<string, number>
  /** Ids of the faults that happened. */
  happened: string[]
  checked: Record<string, number>
  falls: Fall[]
  story: Line[]
  hash: string
  dead: number
  notices: number
}

const hour = 3_600_000
/** Faults happen within the first hours. */
const stormMs = 2 * hour
/** After an abort, and after a value that was taken back, a day must pass; then a window must open. */
const calmMs = 40 * hour
const toOpenMs = 4 * hour
/** The first moment at which all may be well again, and how often it is looked at: between two sweeps. */
const firstLookMs = 2 * hour
const nextLookMs = 4 * hour
const minute = 60_000

/** One history, from its seed alone. `kept`: only these of its faults happen. */
export const play = async (seed: number, kept?: ReadonlySet<string>): Promise<History> => {
  const stage = stageOf(seed, kept)
  const { schedule, faults } = stage
  const calmSince = beginning + stormMs
  const { world, ended, start, skew, hasWindows } = begin(stage, calmSince)
  disturb(world, stormMs)
  await schedule.run(calmSince)
  faults.stop()
  for (const acts of Object.values(world.armed)) acts.length = 0
  stage.note('all', 'nothing more goes wrong')
  mend(world)
  // By clocks that differ, a permit may look as if it was asked for after the end: then it stays until it expires.
  if (skew < 1_000) permitsComeHome(stage, ended)
  const until = calmSince + calmMs + (hasWindows ? toOpenMs : 0)
  for (let at = calmSince + firstLookMs; at < until && stage.falls.length === 0; at += nextLookMs) {
    await schedule.run(at)
    if (!isMissing(stage, ended)) break
  }
  const isEndless = schedule.events() > eventsAtMost
  stage.check('work comes to an end', isEndless ? `${schedule.events()} events` : undefined)
  if (stage.falls.length === 0) checkEnd(stage, ended)
  if (stage.falls.length === 0 && stage.random.chance(0.2)) await checkReaders(stage, ended, start)
  return {
    seed,
    events: schedule.events(),
    faults: faults.counts(),
    happened: faults.happened(),
    checked: Object.fromEntries(stage.checked),
    falls: stage.falls,
    story: stage.story,
    hash: stage.hash(),
    dead: ended.queues.dead.length,
    notices: ended.published.length,
  }
}

/** The deployment and its clusters, before anything happens. */
const begin = (stage: Stage, calmSince: number) => {
  const { random } = stage
  const policy = policyOf(stage)
  const deployment = deploymentOf(stage, policy)
  const skew = random.chance(0.3) && policy.settleSeconds > 90 ? 30_000 : 200
  const table = tableOf(stage)
  const published: Published[] = []
  const queues = queuesOf(stage, [
    { name: 'evaluations', visibilitySeconds: 360 },
    { name: 'steps.fifo', fifo: true, visibilitySeconds: 360 },
    { name: 'tellings', visibilitySeconds: 360 },
    { name: 'places', visibilitySeconds: 360 },
  ])
  const onlooker = onlookerOf(stage, { table, deployment, slackMs: 2 * skew + 2_000 })
  const armed: Armed = { look: [], writing: [], wrote: [] }
  const watch = watchOf(onlooker, armed)
  const fleet = fleetOf(stage, watch, { places, deployment, hasOrganization: random.chance(0.3) })
  let functions = 0
  const start = (name: string, seconds: number) =>
    partyOf(stage, { name: `${name} ${++functions}`, kind: 'function', seconds, skew: random.between(-skew, skew) })
  const topic = topicOf(stage, published)
  const hub = hubOf(stage, { fleet, table, queues, topic, deployment, rules: rulesOf(stage), start })
  const event: World['event'] = ({ ref }, name) => bridge(stage, callEvent(ref, name), hub.event)
  const audit: World['audit'] = ({ ref }, name) => {
    if (ref.account === places[0].account) bridge(stage, auditLines(ref, name), hub.auditLog)
  }
  const terminals = terminalsOf(stage, watch, { onlooker, deployment })
  const world: World = { stage, fleet, onlooker, terminals, deployment, event, audit, armed }
  addClusters(world)
  sweeps(stage, calmSince, hub.sweep)
  const ended = { fleet, table, queues, published, onlooker, calmSince }
  return { world, ended, start, skew, hasWindows: policy.windows.length > 0 }
}

/** Each with nodes, and with a range that changes within the first hour. */
const addClusters = (world: World): void => {
  const { stage, fleet, onlooker } = world
  const { random, schedule } = stage
  const count = random.pick([1, 2, 2, 3])
  for (let index = 0; index < count; index += 1) {
    const ref = { ...random.pick(places), name: `c${index}` }
    const range = { min: random.pick([30000, 29000]), max: 32767 }
    const missed = random.chance(0.25)
    const cluster = clusterOf(stage, { ref, generation: 1, nodes: random.pick([1, 2, 3, 3, 4]), range, missed })
    fleet.clusters.set(clusterKey(ref), cluster)
    onlooker.page(cluster)
    schedule.after(random.between(0, 40) * minute, () => setRange(world, cluster, { min: 30000, max: 33000 }))
  }
}

/** Something is not yet as it must be in the end. */
const isMissing = (stage: Stage, ended: Parameters<typeof checkEnd>[1]): boolean => {
  let missing = false
  checkEnd({ ...stage, check: (_, what) => void (missing ||= what !== undefined) }, ended)
  return missing
}
