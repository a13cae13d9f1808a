import type { Strategy } from '../../../shared/domain/report.ts'
import { annotated, brakeTo, type Disturbance, edit, machineOf, makeAgain, setRange, type World } from './acts.ts'
import type { Cluster } from './cluster.ts'
import { afterWrites, otherRange } from './coincidences.ts'
import { anOverride } from './edits.ts'
import { places } from './inputs.ts'
import { crds, v3 } from './natures.ts'
import type { Random } from './random.ts'
import { aWhile, included, leaveFleet, logless, removeDaemonSet, taint, troubled } from './troubles.ts'

interface Given {
  seconds: number
  random: Random
}

/** Calico's own, beside its definitions. */
const hasApiServer = ({ nature: { apis } }: Cluster): boolean => apis.includes(v3) && !apis.includes(crds)

/** What comes between while a halt gives `default` its former value back. */
const whileRestored: [Between, ...Between[]] = [
  (world, cluster) =>
    edit(world, cluster, { name: 'default', change: (object) => annotated(object, { team: 'platform' }) }),
  (world, _, { seconds }) => {
    brakeTo(world, 'report')
    world.stage.schedule.after(seconds * 1000, () => brakeTo(world, 'sync'))
  },
  ({ stage }, cluster, { seconds, random }) => removeDaemonSet(stage, cluster, { seconds, random }),
  (world, cluster, { seconds }) => troubled(world, cluster, { podless: true, seconds: Math.min(seconds, 600) }),
  (world, cluster, { seconds }) => troubled(world, cluster, { denied: true, seconds }),
  ({ terminals }, cluster, { seconds, random }) =>
    void terminals.sync(cluster, { seconds, killed: random.chance(0.5) }),
]
type Between = (world: World, cluster: Cluster, given: Given) => void

/** What goes wrong just when a rollout begins or is in the middle, and what people do about it. */
export const misfortunes: Record<string, Disturbance> = {
  'RBAC denies our writes as the range changes': (world, cluster, random) => {
    troubled(world, cluster, { denied: true, seconds: aWhile(random) })
    setRange(world, cluster, otherRange(random))
  },
  /** Between the evaluation and the step that begins it. */
  "the spoke's roles are deleted as a rollout is to begin": (world, cluster, random) => {
    const seconds = aWhile(random)
    world.armed.permitted.push(() => included(world, world.fleet.roleless, { account: places[1].account, seconds }))
    setRange(world, cluster, otherRange(random))
  },
  /** So it is `default` that gets its former value back, and now and then somebody writes it as well. */
  'a node breaks on a range that all get at once': (world, cluster, random) => {
    const machine = machineOf(cluster, random)
    if (!machine) return
    const range = otherRange(random)
    world.deployment.change({ strategy: random.pick<Strategy>(['direct', 'direct', 'canary']) })
    machine.breaksOn = `${range.min}:${range.max}`
    setRange(world, cluster, range)
    if (random.chance(0.4)) return
    const [seconds, between] = [aWhile(random), random.pick(whileRestored)]
    afterWrites(world, cluster, {
      count: random.between(1, 4),
      act: () => between(world, cluster, { seconds, random }),
    })
  },
  'several nodes break on a range': (world, cluster, random) => {
    const range = otherRange(random)
    world.deployment.change({ strategy: random.pick<Strategy>(['staged', 'direct']), maxUnavailable: '50%' })
    for (const machine of [...cluster.machines.values()].slice(1)) machine.breaksOn = `${range.min}:${range.max}`
    setRange(world, cluster, range)
  },
  /** Its kubelet, or the whole node, which leaves before it has come back. */
  'a changed node is lost': (world, cluster, random) => {
    const { stage } = world
    const [seconds, leaves] = [random.between(300, 900), random.chance(0.5)]
    setRange(world, cluster, otherRange(random))
    const act = () => {
      const name = anOverride(cluster, random)?.slice('node.'.length)
      const machine = cluster.machines.get(name ?? '')
      if (!machine) return
      Object.assign(machine, { ready: false, readySince: stage.iso() })
      stage.note('kubelet', `${cluster.ref.name}: ${machine.name} is silent`)
      stage.schedule.after(seconds * 1000, () => {
        if (leaves && cluster.machines.size > 1) cluster.machines.delete(machine.name)
        else Object.assign(machine, { ready: true, readySince: stage.iso() })
      })
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  'somebody takes an override back, and a person resumes': (world, cluster, random) => {
    const { stage, terminals } = world
    setRange(world, cluster, otherRange(random))
    const [ms, seconds, force] = [random.between(0, 5_000), random.between(60, 900), random.chance(0.5)]
    const act = () => {
      const name = anOverride(cluster, random) ?? 'default'
      stage.schedule.after(ms, () => edit(world, cluster, { name, change: () => undefined }))
      stage.schedule.after(seconds * 1000, () => terminals.say(cluster, 'resume', force))
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  /** They ask again when it has halted for the node. */
  'a person aborts as a node breaks': (world, cluster, random) => {
    const { stage, terminals } = world
    const machine = machineOf(cluster, random)
    const range = otherRange(random)
    if (machine) machine.breaksOn = `${range.min}:${range.max}`
    setRange(world, cluster, range)
    const act = () => {
      for (const seconds of [random.between(1, 200), random.between(400, 1_200), random.between(1_500, 3_000)])
        stage.schedule.after(seconds * 1000, () => terminals.say(cluster, 'abort'))
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  /** What has been read says that it is running. */
  'a person stops a rollout while it is evaluated': (world, cluster, random) => {
    const { stage, terminals, armed } = world
    setRange(world, cluster, otherRange(random))
    const [what, seconds] = [random.pick<'pause' | 'abort'>(['pause', 'abort']), random.between(60, 1_200)]
    const act = () =>
      armed.evaluated.push((where) => {
        terminals.say(where, what)
        if (what === 'pause') stage.schedule.after(seconds * 1000, () => terminals.say(where, 'resume'))
      })
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  'a person runs sync where no log can be read': (world, cluster, random) => {
    const { stage, terminals } = world
    troubled(world, cluster, { logless: random.pick(logless), seconds: random.between(900, 3_600) })
    setRange(world, cluster, otherRange(random))
    // One of the two reads all logs.
    for (const seconds of [1, random.between(30, 600)])
      stage.schedule.after(seconds * 1000, () => {
        if (cluster.exists) terminals.sync(cluster, { seconds: random.between(60, 900), killed: random.chance(0.5) })
      })
  },
  'the cluster is made again in the middle of a rollout': (world, cluster, random) => {
    setRange(world, cluster, otherRange(random))
    const act = () => {
      if (cluster.exists) makeAgain(world, cluster)
    }
    afterWrites(world, cluster, { count: random.between(1, 4), act })
  },
  /** The sweep counts what it has by then. */
  'no message about a place is worked on in a sweep': ({ queues, stage }, _, random) => {
    queues.hold('places', '"place"', random.between(60, 100) * 60)
    stage.note('Lambda', 'lists no place for more than an hour')
  },
  'a spoke leaves the organization for some sweeps': (world, _, random) =>
    leaveFleet(world, { account: places[1].account, seconds: random.between(70, 240) * 60 }),
  'a rollout is paused, and a changed node gets a taint': (world, cluster, random) => {
    const { stage, terminals } = world
    setRange(world, cluster, otherRange(random))
    const [seconds, force] = [random.between(10, 400), random.chance(0.3)]
    const act = () => {
      terminals.say(cluster, 'pause')
      taint(stage, cluster, random)
      stage.schedule.after(seconds * 1000, () => terminals.say(cluster, 'resume', force))
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  /** With its pods, or its API server. */
  'a person aborts as Calico goes': (world, cluster, random) => {
    const { stage, terminals } = world
    setRange(world, cluster, otherRange(random))
    const [ms, seconds, isApi] = [random.between(0, 20_000), aWhile(random), random.chance(0.4)]
    const act = () => {
      terminals.say(cluster, 'abort')
      stage.schedule.after(ms, () => {
        if (!isApi) removeDaemonSet(stage, cluster, { seconds, random })
        else if (hasApiServer(cluster)) troubled(world, cluster, { api: 'gone', seconds })
      })
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
}
