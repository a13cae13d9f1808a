import { parseRollout } from '../../../shared/domain/rollout/parse.ts'
import { isMarked, isOurs } from '../../../shared/domain/rollout/marks.ts'
import type { Cluster } from './cluster.ts'
import { writeFelix } from './cluster.ts'
import { brakeTo, tagTo, type World } from './disturbances.ts'

const hour = 3_600_000
/** People look at what they were told again and again. */
const roundsAt = [0.3, 3, 9, 15, 25, 29]

/** Faults are over, and people do what the notices and the runbook ask of them. */
export const mend = (world: World): void => {
  const { stage, fleet } = world
  for (const at of roundsAt)
    stage.schedule.after(at * hour, () => {
      if (fleet.position.most !== 'sync') brakeTo(world, 'sync')
      for (const cluster of fleet.clusters.values()) mendCluster(world, cluster)
    })
}

const mendCluster = (world: World, cluster: Cluster): void => {
  const { stage, onlooker, terminals } = world
  if (cluster.eks.tags['calico-ipvs-sync'] !== undefined) tagTo(world, cluster, undefined)
  for (const machine of cluster.machines.values()) heal(world, cluster, machine)
  for (const object of cluster.felix.values()) {
    const isForeign = object.name !== 'default' && (!isMarked(object) || !isOurs(object))
    const after = undefined
    if (isForeign)
      writeFelix(stage, onlooker, {
        cluster,
        writer: { name: 'an operator', kind: 'others' },
        name: object.name,
        after,
      })
  }
  const parsed = parseRollout(cluster.lease, stage.schedule.now())
  if (parsed.is === 'invalid') {
    const before = cluster.lease
    cluster.lease = undefined
    stage.note('an operator', `${cluster.ref.name}: deletes the Lease, which makes no sense`)
    onlooker.leased(cluster, { name: 'an operator', kind: 'others' }, before)
  }
  if (parsed.is !== 'rollout') return
  const { state } = parsed.rollout
  if (state === 'halted' || state === 'paused') terminals.say(cluster, 'resume', state === 'halted')
}

const heal = ({ stage }: World, cluster: Cluster, machine: ReturnType<Cluster['machines']['get']> & object): void => {
  delete machine.breaksOn
  if (!machine.ready) Object.assign(machine, { ready: true, readySince: stage.iso() })
  if (!machine.down && machine.calico?.ready) return
  if (!machine.calico) return
  machine.restarts += 1
  delete machine.down
  if (!machine.calico.ready) machine.calico = { ...machine.calico, ready: true, readySince: stage.iso() }
  stage.note('an operator', `${cluster.ref.name}: ${machine.name} is well again`)
}
