import { type Disturbance, edit, machineOf, setRange, somebody, type World } from './acts.ts'
import type { Cluster, Machine } from './cluster.ts'
import { afterWrites, otherRange } from './coincidences.ts'
import { anOverride } from './edits.ts'
import { readyNow, restartFelix } from './machines.ts'
import type { Random } from './random.ts'
import { rangeIn, rangeOn } from './ranges.ts'
import { writeFelix } from './felix.ts'
import { aWhile, removeDaemonSet, taint, troubled } from './troubles.ts'
import { felixObject, rangeKey } from '../../domain/states.ts'

const ours = 'calico-ipvs-sync/'

type Says = (annotations: Record<string, string>) => boolean

const isToHalt: Says = (annotations) => (annotations[`${ours}evidence`] ?? '').includes('"pending"')
const isToRestore: Says = (annotations) => annotations[`${ours}rollback`] !== undefined
const isHalted: Says = (annotations) => annotations[`${ours}state`] === 'halted' && !isToRestore(annotations)
const restarts: Says = (annotations) => annotations[`${ours}phase`] === 'restarts'

/** Once one of us has written that into its Lease. */
const whenLeased = (world: World, cluster: Cluster, { says, act }: { says: Says; act: () => void }): void =>
  void world.armed.leased.push((where) => {
    if (where === cluster && says(cluster.lease?.annotations ?? {})) act()
    else whenLeased(world, cluster, { says, act })
  })

/** The range changes to one on which a node does not come up. */
const breakOne = (world: World, cluster: Cluster, random: Random): Machine | undefined => {
  const machine = machineOf(cluster, random)
  const range = otherRange(random)
  if (machine) machine.breaksOn = `${range.min}:${range.max}`
  setRange(world, cluster, range)
  return machine
}

interface Halting {
  machine: Machine
  random: Random
}

/** What comes about between the step that finds a node lost, those that restore it, and the end of the halt. */
const asItHalts: [Meanwhile, ...Meanwhile[]] = [
  ({ stage }, cluster, { machine }) => {
    if (cluster.machines.size < 2 || !cluster.machines.delete(machine.name)) return
    stage.note('autoscaler', `${cluster.ref.name}: ${machine.name} leaves`)
  },
  ({ stage }, cluster, { machine, random }) => {
    Object.assign(machine, { ready: false, readySince: stage.iso() })
    stage.note('kubelet', `${cluster.ref.name}: ${machine.name} is silent`)
    const isBack = () => Object.assign(machine, { ready: true, readySince: stage.iso() })
    stage.schedule.after(random.between(60, 900) * 1000, isBack)
  },
  ({ stage }, cluster, { machine }) => {
    if (!machine.calico || machine.calico.deletedAt) return
    machine.restarts += 1
    delete machine.breaksOn
    delete machine.down
    machine.calico = readyNow(machine.calico, stage)
    stage.note('node', `${cluster.ref.name}: ${machine.name} is well at last`)
  },
  (world, cluster, { random }) => troubled(world, cluster, { nodeless: true, seconds: random.between(10, 300) }),
  (world, cluster, { random }) => troubled(world, cluster, { podless: true, seconds: random.between(10, 300) }),
  ({ stage }, cluster, { random }) => removeDaemonSet(stage, cluster, { seconds: aWhile(random), random }),
  (world, cluster, { machine, random }) => {
    const isDeleted = random.chance(0.5)
    edit(world, cluster, {
      name: `node.${machine.name}`,
      change: (object) =>
        isDeleted ? undefined : { ...object, annotations: { ...object.annotations, [rangeKey]: '31500:32000' } },
    })
  },
  ({ terminals }, cluster) => terminals.say(cluster, 'abort'),
]
type Meanwhile = (world: World, cluster: Cluster, halting: Halting) => void

/** What a person does not know of who resumes a rollout. */
const asItResumes: [Unknown, ...Unknown[]] = [
  () => undefined,
  () => undefined,
  ({ stage }, cluster, random) => removeDaemonSet(stage, cluster, { seconds: aWhile(random), random }),
  (world, cluster, random) => troubled(world, cluster, { podless: true, seconds: random.between(30, 300) }),
  (world, cluster, random) => troubled(world, cluster, { closed: 'unreachable', seconds: random.between(30, 300) }),
  ({ stage }, cluster, random) => taint(stage, cluster, random),
]
type Unknown = (world: World, cluster: Cluster, random: Random) => void

/** What meets a rollout that halts, and what a node does that is lost. */
export const halts: Record<string, Disturbance> = {
  'something changes as a rollout halts for a node': (world, cluster, random) => {
    const machine = breakOne(world, cluster, random)
    if (!machine) return
    const [says, ms] = [random.pick<Says>([isToHalt, isToRestore]), random.between(0, 100)]
    const meanwhile = random.pick(asItHalts)
    const act = () => world.stage.schedule.after(ms, () => meanwhile(world, cluster, { machine, random }))
    whenLeased(world, cluster, { says, act })
  },
  /** It is there all the time. */
  'the pod of a changed node is not listed until the rollout halts for it': (world, cluster, random) => {
    setRange(world, cluster, otherRange(random))
    afterWrites(world, cluster, {
      count: random.between(1, 2),
      act: () => {
        const name = anOverride(cluster, random)
        if (name === undefined) return
        troubled(world, cluster, { unlisted: name.slice('node.'.length), seconds: 1_800 })
        const act = () => void delete cluster.trouble.unlisted
        whenLeased(world, cluster, { says: isToHalt, act })
      },
    })
  },
  'a person resumes a rollout whose node is still not well': (world, cluster, random) => {
    const { stage, terminals } = world
    breakOne(world, cluster, random)
    const [unknown, ms, seconds] = [random.pick(asItResumes), random.between(0, 5_000), random.between(5, 200)]
    const force = random.chance(0.4)
    const act = () => {
      stage.schedule.after(ms, () => unknown(world, cluster, random))
      stage.schedule.after(ms + seconds * 1000, () => {
        if (cluster.exists) terminals.say(cluster, 'resume', force)
      })
    }
    whenLeased(world, cluster, { says: isHalted, act })
  },
  /** Somebody wrote what Felix rejects. */
  'no node is well as a rollout begins': (world, cluster, random) => {
    const { stage, armed } = world
    const restart = () => {
      for (const machine of cluster.machines.values()) {
        if (!machine.calico) continue
        machine.calico = { ...machine.calico, ready: false, readySince: stage.iso() }
        // By its pod nobody can tell any more that it had failed before.
        delete machine.down
        restartFelix(stage, cluster, { machine, writer: somebody })
      }
    }
    const seconds = random.between(200, 900)
    armed.permitted.push(() => {
      cluster.trouble.rejected = true
      stage.note('somebody', `${cluster.ref.name}: no Felix starts`)
      restart()
      stage.schedule.after(seconds * 1000, () => {
        delete cluster.trouble.rejected
        restart()
      })
    })
    setRange(world, cluster, otherRange(random))
  },
  /** They ask again when it has halted for the node. */
  'a person aborts, and a node does not come back': (world, cluster, random) => {
    const { stage, terminals } = world
    setRange(world, cluster, otherRange(random))
    const act = () => {
      const machine = cluster.machines.get(anOverride(cluster, random)?.slice('node.'.length) ?? '')
      const former = rangeIn(cluster.felix.get('default'))
      if (machine && former !== undefined) machine.breaksOn = former
      for (const seconds of [random.between(1, 60), random.between(500, 900), random.between(1_200, 3_000)])
        stage.schedule.after(seconds * 1000, () => {
          if (cluster.exists) terminals.say(cluster, 'abort')
        })
    }
    afterWrites(world, cluster, { count: random.between(1, 3), act })
  },
  'a node does not come back from a restart': (world, cluster, random) => {
    const act = () => {
      const machine = machineOf(cluster, random)
      const range = machine && rangeOn(cluster, machine.name)
      if (machine && range !== undefined) machine.breaksOn = range
    }
    whenLeased(world, cluster, { says: restarts, act })
    setRange(world, cluster, otherRange(random))
  },
  /** With its marks, and a time that nobody has reached. */
  'somebody copies an override to another node': (world, cluster, random) => {
    const { stage, onlooker } = world
    setRange(world, cluster, otherRange(random))
    afterWrites(world, cluster, {
      count: random.between(1, 2),
      act: () => {
        const object = cluster.felix.get(anOverride(cluster, random) ?? '')
        const to = [...cluster.machines.keys()].find((name) => !cluster.felix.has(`node.${name}`))
        if (!object || to === undefined) return
        const later = new Date(stage.schedule.now() + random.pick([86_400_000, -600_000])).toISOString()
        const annotations = { ...object.annotations, [`${ours}changed-at`]: later }
        const after = felixObject({
          name: `node.${to}`,
          uid: `uid-node.${to}-copy`,
          annotations,
          createdAt: stage.iso(),
        })
        writeFelix(stage, onlooker, { cluster, writer: somebody, name: `node.${to}`, after })
      },
    })
  },
}
