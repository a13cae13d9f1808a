import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { changedAtKey, changeKey, overrideKey } from '../../../shared/domain/rollout/annotations.ts'
import { parseRollout } from '../../../shared/domain/rollout/parse.ts'
import { isMarked, isOurs } from '../../../shared/domain/rollout/marks.ts'
import { alarmTo, brakeTo, tagTo, type World } from './acts.ts'
import type { Cluster, Machine } from './cluster.ts'
import { writeFelix } from './felix.ts'
import { isUs } from './ledger.ts'
import { readyNow } from './machines.ts'
import { unjudged } from './troubles.ts'
import { portsIn, rangeIn } from './ranges.ts'
import { isOwnObject } from './truths.ts'
import { rangeKey } from '../../domain/states.ts'

const hour = 3_600_000
/** People look at what they were told again and again. */
const roundsAt = [0.3, 3, 9, 15, 25, 29]

/** Faults are over, and people do what the notices and the runbook ask of them. */
export const mend = (world: World): void => {
  const { stage, fleet, deployment } = world
  for (const at of roundsAt)
    stage.schedule.after(at * hour, () => {
      if (deployment.brake.most !== 'sync') brakeTo(world, 'sync')
      if (deployment.alarm.rings) alarmTo(world, false)
      for (const account of fleet.outside) unjudged(world, account)
      for (const accounts of [fleet.roleless, fleet.outside]) accounts.clear()
      if (at >= patience) fleet.unlisted.clear()
      for (const cluster of fleet.clusters.values()) mendCluster(world, cluster, at)
    })
}

const mendCluster = (world: World, cluster: Cluster, at: number): void => {
  const { stage, onlooker, terminals, deployment } = world
  if (cluster.eks.tags['calico-ipvs-sync'] !== undefined) tagTo(world, cluster, undefined)
  cluster.trouble = {}
  const lost = lostIn(world, cluster)
  const late = lost.find(
    ({ down }) => at >= patience && (down?.since ?? Infinity) < stage.schedule.now() - (patience / 2) * hour,
  )
  const fault = late && `${cluster.ref.name}: ${late.name} has no Felix, and the rollout goes on`
  stage.check('a lost node halts the rollout', fault)
  for (const machine of cluster.machines.values())
    if (at >= patience || !lost.includes(machine)) heal(world, cluster, machine)
  for (const object of cluster.felix.values()) if (!isOurs(object) && isToTidy(object)) tidy(world, cluster, object)
  const parsed = parseRollout(cluster.lease, stage.schedule.now())
  if (parsed.is === 'invalid') {
    const before = cluster.lease
    cluster.lease = undefined
    stage.note('an operator', `${cluster.ref.name}: deletes the Lease, which makes no sense`)
    onlooker.leased(cluster, { name: 'an operator', kind: 'others' }, before)
  }
  const state = parsed.is === 'rollout' ? parsed.rollout.state : undefined
  if (state !== 'halted' && state !== 'paused') {
    if (deployment.policy().action === 'sync') return
    if (state === 'aborting') terminals.finishAbort(cluster, 7_200)
    else terminals.sync(cluster, { seconds: 7_200, killed: false })
    return
  }
  // Without --force first; a rollout that stays halted is insisted on.
  terminals.say(cluster, 'resume')
  stage.schedule.after(insistedAfterMs, () => {
    if (cluster.exists && onlooker.page(cluster).lease.state === 'halted') terminals.say(cluster, 'resume', true)
    if (cluster.exists && deployment.policy().action !== 'sync')
      terminals.sync(cluster, { seconds: 7_200, killed: false })
  })
}

const isNoRange = (text: string | undefined): boolean => text !== undefined && portsIn(text) === undefined

const isToTidy = (object: FelixObject): boolean =>
  object.name === 'default' ? isMarked(object) || isNoRange(rangeIn(object)) : !isOwnObject(object)

/** As the findings say: somebody else's override is deleted; `default` is kept, without the marks and without what is no range. */
const tidy = ({ stage, onlooker }: World, cluster: Cluster, object: FelixObject): void => {
  const unwanted = [overrideKey, changedAtKey, changeKey, ...(isNoRange(rangeIn(object)) ? [rangeKey] : [])]
  const kept = Object.entries(object.annotations).filter(([key]) => !unwanted.includes(key))
  const after = object.name === 'default' ? { ...object, annotations: Object.fromEntries(kept) } : undefined
  const writer = { name: 'an operator', kind: 'others' } as const
  writeFelix(stage, onlooker, { cluster, writer, name: object.name, after })
  // It was asked for, and takes nothing back.
  onlooker.page(cluster).reverted.delete(object.name)
}

const insistedAfterMs = 15 * 60_000

/** Hours after which a rollout under way must have noticed a node that it has lost. */
const patience = 9

/** Nodes that one of us took Felix from, in a rollout that goes on: nobody knows that they need a person. */
const lostIn = ({ stage, onlooker }: World, cluster: Cluster): Machine[] => {
  const { state } = onlooker.page(cluster).lease
  const isLost = ({ down }: Machine) => down && isUs(down.by) && stage.schedule.now() - down.since > hour / 4
  return state === 'running' ? [...cluster.machines.values()].filter(isLost) : []
}

const heal = ({ stage }: World, cluster: Cluster, machine: Machine): void => {
  delete machine.breaksOn
  if (!machine.ready) Object.assign(machine, { ready: true, readySince: stage.iso() })
  if (!machine.down && machine.calico?.ready) return
  if (!machine.calico || machine.calico.deletedAt) return
  machine.restarts += 1
  delete machine.down
  if (!machine.calico.ready) machine.calico = readyNow(machine.calico, stage)
  stage.note('an operator', `${cluster.ref.name}: ${machine.name} is well again`)
}
