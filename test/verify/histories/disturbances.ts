import type { Policy } from '../../../shared/domain/policy/policy.ts'
import type { Strategy } from '../../../shared/domain/report.ts'
import { alarmTo, brakeTo, type Disturbance, machineOf, makeAgain, setRange, tagTo } from './acts.ts'
import { rangeOn, rangeText } from './ranges.ts'
import { coincidences } from './coincidences.ts'
import { damage } from './damage.ts'
import { edits } from './edits.ts'
import { halts } from './halts.ts'
import { join } from './machines.ts'
import { misfortunes } from './misfortunes.ts'
import type { Random } from './random.ts'
import { troubles } from './troubles.ts'

/** What people, nodes and AWS do of themselves. */
const inPassing: Record<string, Disturbance> = {
  'the range changes': (world, cluster, random) => {
    const min = 30000 - random.between(0, 3) * 1000
    setRange(world, cluster, { min, max: 32767 + random.between(0, 2) * 500 })
  },
  'EKS updates the cluster': (world, cluster, random) => {
    cluster.eks = { ...cluster.eks, status: 'UPDATING' }
    world.event(cluster, 'UpdateClusterVersion')
    world.stage.schedule.after(random.between(30, 600) * 1000, () => {
      cluster.eks = { ...cluster.eks, status: 'ACTIVE' }
      world.event(cluster, 'UpdateClusterVersion')
    })
  },
  'a node joins': ({ stage }, cluster) => join(stage, cluster, `node-9${cluster.versions}`),
  'a node leaves': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine || cluster.machines.size < 2) return
    cluster.machines.delete(machine.name)
    stage.note('autoscaler', `${cluster.ref.name}: ${machine.name} leaves`)
  },
  'a node is replaced under its name': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine || cluster.machines.size < 2) return
    cluster.machines.delete(machine.name)
    stage.note('autoscaler', `${cluster.ref.name}: ${machine.name} leaves`)
    stage.schedule.after(random.between(20, 240) * 1000, () => join(stage, cluster, machine.name))
  },
  'a kubelet is silent': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine) return
    Object.assign(machine, { ready: false, readySince: stage.iso() })
    stage.note('kubelet', `${cluster.ref.name}: ${machine.name} is silent`)
    stage.schedule.after(random.between(60, 900) * 1000, () =>
      Object.assign(machine, { ready: true, readySince: stage.iso() }),
    )
  },
  'a node breaks on the range': ({ stage }, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine) return
    // With the range that it has, it would not come back from a restart.
    const own = rangeOn(cluster, machine.name) ?? rangeText(cluster)
    machine.breaksOn = random.pick([rangeText(cluster), '30000:33000', '30000:33000', own])
    stage.note('node', `${cluster.ref.name}: Felix on ${machine.name} would not come up with ${machine.breaksOn}`)
  },
  'the brake is pulled': (world, _, random) => {
    brakeTo(world, random.pick(['report', 'off']))
    world.stage.schedule.after(random.between(60, 2_400) * 1000, () => brakeTo(world, 'sync'))
  },
  'the alarm rings': (world, _, random) => {
    alarmTo(world, true)
    world.stage.schedule.after(random.between(60, 2_400) * 1000, () => alarmTo(world, false))
  },
  'the deployment has other settings': ({ stage, deployment }, _, random) => {
    const settings = {
      strategy: random.pick<Strategy>(['staged', 'staged', 'canary', 'direct']),
      maxUnavailable: random.pick<Policy['maxUnavailable']>([1, 2, '34%']),
      clustersAtOnce: random.pick([1, 2]),
      pauseOnAlarms: random.pick([[], ['checkout-errors']]),
    } as const
    deployment.change(settings)
    stage.note('somebody', `deploys ${JSON.stringify(settings)}`)
  },
  'a tag switches the cluster off': (world, cluster, random) => {
    tagTo(world, cluster, random.pick(['report', 'off']))
    world.stage.schedule.after(random.between(60, 2_400) * 1000, () => tagTo(world, cluster, undefined))
  },
  'the cluster is made again': (world, cluster) => makeAgain(world, cluster),
  'sync at a terminal': ({ terminals }, cluster, random) =>
    terminals.sync(cluster, { seconds: random.between(20, 1_800), killed: random.chance(0.5) }),
  pause: ({ terminals }, cluster) => terminals.say(cluster, 'pause'),
  resume: ({ terminals }, cluster, random) => terminals.say(cluster, 'resume', random.chance(0.3)),
  abort: ({ terminals }, cluster) => terminals.say(cluster, 'abort'),
}

type Kind = Record<string, Disturbance>

/** A kind comes as often as it stands here: what meets a rollout in the middle more often than what only hides the cluster. */
const shares: readonly [Kind, ...Kind[]] = [
  edits,
  edits,
  edits,
  coincidences,
  coincidences,
  coincidences,
  inPassing,
  inPassing,
  inPassing,
  troubles,
  troubles,
  damage,
]

export const anyDisturbance = (random: Random): [name: string, act: Disturbance] => anyOf(random, random.pick(shares))

export const anyMisfortune = (random: Random): [name: string, act: Disturbance] => anyOf(random, misfortunes)

export const anyHalt = (random: Random): [name: string, act: Disturbance] => anyOf(random, halts)

const anyOf = (random: Random, kind: Kind): [string, Disturbance] =>
  random.pick(Object.entries(kind) as [[string, Disturbance], ...[string, Disturbance][]])
