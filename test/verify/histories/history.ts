import { clusterKey } from '../../../shared/messages.ts'
import type { Policy } from '../../../shared/domain/policy/policy.ts'
import { policyWith } from '../../../shared/domain/policy/policy.ts'
import type { Place } from '../../../shared/domain/places.ts'
import { partyOf } from './call.ts'
import { type Cluster, clusterOf, type Watch } from './cluster.ts'
import { disturbances, setRange, type World } from './disturbances.ts'
import { checkEnd, permitsComeHome } from './ends.ts'
import { fleetOf } from './fleet.ts'
import { hubOf } from './hub.ts'
import { onlookerOf } from './invariants.ts'
import { mend } from './mend.ts'
import { type Published, queuesOf, topicOf } from './queues.ts'
import { beginning, eventsAtMost, type Fall, type Line, type Stage, stageOf } from './stage.ts'
import { tableOf } from './table.ts'
import { terminalsOf } from './terminal.ts'

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

const places: [Place, Place] = [
  { account: '111122223333', region: 'eu-central-1' },
  { account: '444455556666', region: 'eu-central-1' },
]
const hour = 3_600_000
/** Faults happen within the first hours. */
const stormMs = 2 * hour
/** After an abort, and after a value that was taken back, a day must pass. */
const calmMs = 40 * hour
/** The first moment at which all may be well again, and how often it is looked at: between two sweeps. */
const firstLookMs = 2 * hour
const nextLookMs = 4 * hour

/** One history, from its seed alone. `kept`: only these of its faults happen. */
export const play = async (seed: number, kept?: ReadonlySet<string>): Promise<History> => {
  const stage = stageOf(seed, kept)
  const { random, schedule, faults } = stage
  const policy = policyOf(stage)
  const skew = random.chance(0.3) && policy.settleSeconds > 90 ? 30_000 : 200
  const table = tableOf(stage)
  const published: Published[] = []
  const queues = queuesOf(stage, [
    { name: 'evaluations', visibilitySeconds: 360 },
    { name: 'steps.fifo', fifo: true, visibilitySeconds: 360 },
    { name: 'tellings', visibilitySeconds: 360 },
    { name: 'places', visibilitySeconds: 360 },
  ])
  const onlooker = onlookerOf(stage, { table, policy, brake: () => fleet.position, slackMs: 2 * skew + 2_000 })
  /** Disturbances that wait for the next write of ours: coincidences do not come by chance alone. */
  const armed: (() => void)[] = []
  const watch: Watch = {
    ...onlooker,
    wrote: (write) => {
      onlooker.wrote(write)
      if (write.writer.kind !== 'others') armed.shift()?.()
    },
  }
  const fleet = fleetOf(stage, watch, places)
  let functions = 0
  const start = (name: string, seconds: number) =>
    partyOf(stage, {
      name: `${name} ${++functions}`,
      kind: 'function',
      seconds,
      skew: random.between(-skew, skew),
    })
  const rules = random.chance(0.5) ? { digest } : {}
  const topic = topicOf(stage, published)
  const hub = hubOf(stage, { fleet, table, queues, topic, policy, rules, start })
  const event: World['event'] = ({ ref }, name) => bridge(stage, { ref, name }, hub.event)
  const world: World = { stage, fleet, onlooker, terminals: terminalsOf(stage, onlooker, policy), policy, event }
  for (let index = 0, count = random.pick([1, 2, 2, 3]); index < count; index += 1) {
    const place = random.pick(places)
    const ref = { ...place, name: `c${index}` }
    const range = { min: random.pick([30000, 29000]), max: 32767 }
    const missed = random.chance(0.25)
    const cluster = clusterOf(stage, { ref, generation: 1, nodes: random.pick([1, 2, 3, 3, 4]), range, missed })
    fleet.clusters.set(clusterKey(ref), cluster)
    onlooker.page(cluster)
    schedule.after(random.between(0, 40) * 60_000, () => setRange(world, cluster, { min: 30000, max: 33000 }))
  }
  sweeps(stage, hub.sweep)
  disturb(world, armed)
  await schedule.run(beginning + stormMs)
  faults.stop()
  stage.note('all', 'nothing more goes wrong')
  mend(world)
  const calmSince = beginning + stormMs
  const ended = { fleet, table, queues, published, onlooker, calmSince }
  // By clocks that differ, a permit may look as if it was asked for after the end: then it stays until it expires.
  if (skew < 1_000) permitsComeHome(stage, ended)
  for (let at = calmSince + firstLookMs; at < calmSince + calmMs; at += nextLookMs) {
    await schedule.run(at)
    if (!isMissing(stage, ended)) break
  }
  const isEndless = schedule.events() > eventsAtMost
  stage.check('work comes to an end', isEndless ? `${schedule.events()} events` : undefined)
  if (stage.falls.length === 0) checkEnd(stage, ended)
  return {
    seed,
    events: schedule.events(),
    faults: faults.counts(),
    happened: faults.happened(),
    checked: Object.fromEntries(stage.checked),
    falls: stage.falls,
    story: stage.story,
    hash: stage.hash(),
    dead: queues.dead.length,
    notices: published.length,
  }
}

/** Something is not yet as it must be in the end. */
const isMissing = (stage: Stage, ended: Parameters<typeof checkEnd>[1]): boolean => {
  let missing = false
  checkEnd({ ...stage, check: (_, what) => void (missing ||= what !== undefined) }, ended)
  return missing
}

const digest = { moreThan: 2, settleSeconds: 60, atMostMinutes: 15, dailyAt: '08:00', timezone: 'UTC' }

const policyOf = ({ random }: Stage): Policy =>
  policyWith({
    action: 'sync',
    strategy: random.pick(['staged', 'staged', 'staged', 'canary', 'direct']),
    maxUnavailable: random.pick([1, 1, 2]),
    clustersAtOnce: random.pick([1, 1, 2]),
    ...random.pick([
      { canarySeconds: 45, settleSeconds: 40, nodeDeadlineSeconds: 300 },
      { canarySeconds: 120, settleSeconds: 100, nodeDeadlineSeconds: 300 },
    ]),
  })

/** EventBridge: at least once or not at all, in any order. */
const bridge = (
  { schedule, random, faults }: Stage,
  { ref, name }: { ref: Cluster['ref']; name: string },
  heard: (event: unknown, id: string) => void,
): void => {
  const { account, region } = ref
  const detail = { eventSource: 'eks.amazonaws.com', eventName: name, requestParameters: { name: ref.name } }
  const event = { account, region, 'detail-type': 'AWS API Call via CloudTrail', detail }
  const id = `${name} ${schedule.now()} ${ref.name}`
  const late = random.between(1, 20) * 1000
  if (faults.happens('an event is lost', 0.1)) return
  schedule.after(faults.happens('an event is late', 0.1) ? late * 30 : late, () => heard(event, id))
  if (faults.happens('an event comes twice', 0.1)) schedule.after(late * 3, () => heard(event, `${id} again`))
}

/** Every hour, and every four hours when all is calm. */
const sweeps = ({ schedule, faults }: Stage, sweep: (scheduledTime: string) => void): void => {
  const next = (): void => {
    const now = schedule.now()
    const time = new Date(now).toISOString()
    if (!faults.happens('a sweep is not started', 0.03)) sweep(time)
    if (faults.happens('a sweep is started twice', 0.05)) schedule.after(2_000, () => sweep(time))
    const isCalm = now > beginning + stormMs
    schedule.after(isCalm ? 4 * hour : hour, next)
  }
  schedule.after(60_000, next)
}

const disturb = (world: World, armed: (() => void)[]): void => {
  const { stage, fleet } = world
  const { random, schedule, faults } = stage
  const names = Object.keys(disturbances) as [string, ...string[]]
  const count = random.pick([0, 1, 2, 3, 5, 8])
  for (let index = 0; index < count; index += 1) {
    const [name, at, which] = [random.pick(names), random.between(60, stormMs / 1000 - 60), random.between(0, 9)]
    const [isArmed, soon] = [random.chance(0.5), random.between(0, 90)]
    const act = () => {
      const clusters = [...fleet.clusters.values()]
      const cluster = clusters[which % Math.max(1, clusters.length)]
      if (!cluster || !faults.happens(name, 1)) return
      stage.note('chance', `${name}: ${cluster.ref.name}`)
      disturbances[name]?.(world, cluster, random)
    }
    schedule.after(at * 1000, () => (isArmed ? void armed.push(() => schedule.after(soon * 1000, act)) : act()))
  }
}
