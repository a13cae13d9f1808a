import { clusterKey } from '../../../shared/messages.ts'
import { type Armed, machineOf, setRange, tagTo, type World } from './acts.ts'
import { auditLines, bridge, callEvent, sweeps } from './bridge.ts'
import { partyOf } from './call.ts'
import { watchOf } from './chance.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { deploymentOf } from './deployment.ts'
import { fleetOf } from './fleet.ts'
import { hubOf } from './hub.ts'
import { places, policyOf, queueNames, routesOf, rulesOf } from './inputs.ts'
import { onlookerOf } from './invariants.ts'
import { natureOf } from './natures.ts'
import { queuesOf } from './queues.ts'
import type { Stage } from './stage.ts'
import { statusOf } from './status.ts'
import { tableOf } from './table.ts'
import { terminalsOf } from './terminal.ts'
import { type Published, topicOf } from './topic.ts'

const minute = 60_000

/** The deployment and its clusters, before anything happens. */
export const begin = (stage: Stage, calmSince: number) => {
  const { random } = stage
  const policy = policyOf(stage)
  const deployment = deploymentOf(stage, policy)
  const skew = random.chance(0.3) && policy.settleSeconds > 90 ? 30_000 : 200
  const armed: Armed = { look: [], writing: [], leasing: [], leased: [], wrote: [], evaluated: [], permitted: [] }
  const table = tableOf(stage, () => armed.permitted.shift()?.())
  const published: Published[] = []
  const fifo = (name: string) => name.endsWith('.fifo')
  const queues = queuesOf(
    stage,
    queueNames.map((name) => ({ name, fifo: fifo(name), visibilitySeconds: 360 })),
  )
  const onlooker = onlookerOf(stage, { table, deployment, slackMs: 2 * skew + 2_000 })
  const watch = watchOf(onlooker, armed, statusOf(stage))
  const fleet = fleetOf(stage, watch, { places, deployment, hasOrganization: random.chance(0.3) })
  let functions = 0
  const start = (name: string, seconds: number) =>
    partyOf(stage, { name: `${name} ${++functions}`, kind: 'function', seconds, skew: random.between(-skew, skew) })
  const topic = topicOf(stage, published)
  const hub = hubOf(stage, {
    fleet,
    table,
    queues,
    topic,
    deployment,
    rules: rulesOf(stage),
    routes: routesOf(stage),
    start,
  })
  const event: World['event'] = ({ ref }, name) => bridge(stage, callEvent(ref, name), hub.event)
  const hear: World['hear'] = (event) => bridge(stage, event, hub.event)
  const hearLog: World['hearLog'] = (lines) => bridge(stage, lines, hub.auditLog)
  const audit: World['audit'] = ({ ref }, name) => {
    if (ref.account === places[0].account) bridge(stage, auditLines(ref, name), hub.auditLog)
  }
  const terminals = terminalsOf(stage, watch, { onlooker, deployment })
  const world: World = { stage, fleet, onlooker, terminals, deployment, queues, event, hear, hearLog, audit, armed }
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
    const nodes = random.pick([1, 2, 3, 3, 4, 6])
    const cluster = clusterOf(stage, { ref, generation: 1, nodes, range, nature: natureOf(random) })
    fleet.clusters.set(clusterKey(ref), cluster)
    onlooker.page(cluster)
    const machine = machineOf(cluster, random)
    if (machine && random.chance(0.1)) machine.breaksOn = '30000:33000'
    schedule.after(random.between(0, 40) * minute, () => setRange(world, cluster, { min: 30000, max: 33000 }))
    if (random.chance(0.15)) switchedOff(world, cluster)
    if (world.deployment.policy().action !== 'sync') syncByHand(world, cluster)
  }
}

/** For maintenance, say, before its range changes or in the middle of a rollout. */
const switchedOff = (world: World, cluster: Cluster): void => {
  const { random, schedule } = world.stage
  const [from, forMinutes] = [random.between(0, 40), random.between(10, 60)]
  const tag = random.pick<'report' | 'off'>(['report', 'off'])
  schedule.after(from * minute, () => tagTo(world, cluster, tag))
  schedule.after((from + forMinutes) * minute, () => tagTo(world, cluster, undefined))
}

/** People run it now and then, and do not always wait for its end. */
const syncByHand = ({ stage, terminals }: World, cluster: Cluster): void => {
  const { random, schedule } = stage
  for (let runs = random.between(2, 5); runs > 0; runs -= 1) {
    const end = { seconds: random.between(20, 1_800), killed: random.chance(0.5) }
    schedule.after(random.between(2, 100) * minute, () => {
      if (cluster.exists) terminals.sync(cluster, end)
    })
  }
}
