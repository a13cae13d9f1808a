import type { PodState } from '../../../shared/domain/cluster.ts'
import { nodeNamed, podOf, setOf } from '../../domain/states.ts'
import type { Cluster, Machine, Watch, Writer } from './cluster.ts'
import { rangeOn } from './ranges.ts'
import type { Stage } from './stage.ts'

const breaks = (cluster: Cluster, { name, breaksOn }: Machine): boolean =>
  cluster.trouble.rejected === true || (breaksOn !== undefined && breaksOn === rangeOn(cluster, name))

export const readyNow = ({ waiting: _waiting, ...pod }: PodState, stage: Stage): PodState => ({
  ...pod,
  ready: true,
  readySince: stage.iso(),
})

/** Felix stops two seconds after the text of its range changed, and is back some seconds later, unless it breaks on it. */
export const restartFelix = (
  stage: Stage,
  cluster: Cluster,
  { machine, writer }: { machine: Machine; writer: Writer },
): void => {
  const { schedule, random, note } = stage
  machine.restarts += 1
  const mine = machine.restarts
  machine.down ??= { since: schedule.now(), by: writer }
  const isNewest = () => machine.restarts === mine && cluster.machines.get(machine.name) === machine
  schedule.after(random.between(3_000, 7_000), () => {
    if (!isNewest() || breaks(cluster, machine)) return
    delete machine.down
    if (machine.calico && !machine.calico.ready) machine.calico = readyNow(machine.calico, stage)
  })
  // Three readiness probes at intervals of ten seconds must fail.
  schedule.after(32_000, () => {
    if (!isNewest() || !machine.down || !machine.calico?.ready) return
    const waiting = random.chance(0.5) && { waiting: 'CrashLoopBackOff', restartCount: 3 }
    machine.calico = { ...machine.calico, ready: false, readySince: stage.iso(), ...waiting }
    note(cluster.ref.name, `calico-node on ${machine.name} is not Ready any more`)
  })
}

/** The pod ends, goes, and its DaemonSet makes another. */
export const deletePod = (
  stage: Stage,
  watch: Watch,
  { cluster, writer, machine }: { cluster: Cluster; writer: Writer; machine: Machine },
): void => {
  const { schedule, random } = stage
  const old = machine.calico
  if (!old || old.deletedAt) return
  watch.deletedPod(cluster, writer, machine)
  stage.note(writer.name, `${cluster.ref.name}: deletes ${old.name}`)
  // Until its containers have ended it is listed.
  const endsMs = random.pick([0, random.between(500, 3_000)])
  machine.calico = endsMs > 0 ? { ...old, deletedAt: stage.iso() } : undefined
  machine.restarts += 1
  machine.down ??= { since: schedule.now(), by: writer }
  schedule.after(endsMs, () => {
    if (machine.calico?.uid === old.uid) machine.calico = undefined
  })
  schedule.after(endsMs + random.between(2_000, 6_000), () => {
    if (cluster.machines.get(machine.name) === machine && !machine.calico) startPod(stage, cluster, machine)
  })
}

/** Its pod goes, and nobody makes another before `startMissing`. */
export const losePod = ({ schedule, note }: Stage, cluster: Cluster, machine: Machine): void => {
  machine.calico = undefined
  machine.restarts += 1
  machine.down = { since: schedule.now(), by: { name: 'somebody', kind: 'others' } }
  note('DaemonSet', `${cluster.ref.name}: ${machine.name} has no calico-node any more`)
}

/** The DaemonSet makes the pods that it lacks. */
export const startMissing = (stage: Stage, cluster: Cluster): void => {
  for (const machine of cluster.machines.values()) if (!machine.calico) startPod(stage, cluster, machine)
}

export const startPod = (stage: Stage, cluster: Cluster, machine: Machine): void => {
  if (machine.tainted || cluster.trouble.daemonSet) return
  cluster.versions += 1
  const suffix = `${machine.name}-${cluster.versions}`
  const at = stage.iso()
  machine.calico = podOf(setOf(cluster.base, 'calico-node'), machine.name, {
    name: `calico-node-${suffix}`,
    uid: `uid-calico-node-${suffix}`,
    createdAt: at,
    startedAt: at,
    ready: false,
    readySince: at,
  })
  machine.restarts += 1
  const mine = machine.restarts
  stage.schedule.after(stage.random.between(4_000, 12_000), () => {
    if (machine.restarts !== mine || breaks(cluster, machine)) return
    delete machine.down
    if (machine.calico) machine.calico = readyNow(machine.calico, stage)
  })
}

export const join = (stage: Stage, cluster: Cluster, name: string): void => {
  const at = stage.iso()
  const set = setOf(cluster.base, 'kube-proxy')
  const proxy = podOf(set, name, { createdAt: at, startedAt: at, readySince: at })
  const machine: Machine = { name, createdAt: at, ready: true, readySince: at, calico: undefined, proxy, restarts: 0 }
  cluster.machines.set(name, machine)
  stage.note('autoscaler', `${cluster.ref.name}: ${name} joins`)
  startPod(stage, cluster, machine)
}

export const nodeState = ({ name, createdAt, ready, readySince, zone, tainted }: Machine) => {
  const labels = { 'kubernetes.io/os': 'linux', ...(zone && { 'topology.kubernetes.io/zone': zone }) }
  const taints = tainted && { taints: [{ key: 'dedicated', effect: 'NoExecute' }] }
  return nodeNamed(name, { createdAt, ready, readySince, labels, ...taints })
}
