import type { ClusterState, EksState, FelixObject, PodState, RolloutRecord } from '../../../shared/domain/cluster.ts'
import { valueOf } from '../../../shared/domain/read.ts'
import type { ClusterRef } from '../../../shared/messages.ts'
import { healthy, modeChanged, nodeNamed, owns, podOf, rangeKey, restarted, setOf } from '../../domain/states.ts'
import type { Stage } from './stage.ts'

/** Who writes into a cluster. */
export interface Writer {
  name: string
  /** `function`, `terminal`: our own; `others`: anybody else. */
  kind: 'function' | 'terminal' | 'others'
}

/** A node with its calico-node. */
export interface Machine {
  name: string
  createdAt: string
  ready: boolean
  readySince: string
  calico: PodState | undefined
  proxy: PodState
  /** Felix does not serve. */
  down?: { since: number; by: Writer }
  /** With this range its Felix does not come up. */
  breaksOn?: string
  /** The newest restart: earlier ones do not bring it up any more. */
  restarts: number
}

export interface Write {
  cluster: Cluster
  writer: Writer
  name: string
  before: FelixObject | undefined
  after: FelixObject | undefined
  /** Nodes whose Felix restarts, with its range before and after. */
  touched: { machine: Machine; from: string | undefined; to: string | undefined; wasWell: boolean }[]
}

export interface Watch {
  wrote: (write: Write) => void
  deletedPod: (cluster: Cluster, writer: Writer, machine: Machine) => void
  leased: (cluster: Cluster, writer: Writer, before: RolloutRecord | undefined) => void
}

export interface Cluster {
  ref: ClusterRef
  /** Counts the clusters of that name. */
  generation: number
  exists: boolean
  base: ClusterState
  eks: EksState
  machines: Map<string, Machine>
  felix: Map<string, FelixObject>
  lease: RolloutRecord | undefined
  versions: number
  /** Felix noticed the mode only if it started after this. */
  modeChangedAt: number
}

export interface ClusterWish {
  ref: ClusterRef
  generation: number
  nodes: number
  range: { min: number; max: number }
  /** The mode was changed while calico-node ran. */
  missed: boolean
}

export const rangeText = ({ eks }: Cluster): string => {
  const { min, max } = eks.serviceNodePortRange ?? { min: 30000, max: 32767 }
  return `${min}:${max}`
}

export const clusterOf = (stage: Stage, { ref, generation, nodes, range, missed }: ClusterWish): Cluster => {
  const arn = `arn:aws:eks:${ref.region}:${ref.account}:cluster/${ref.name}`
  const createdAt = generation === 1 ? '2026-11-01T07:00:00.000Z' : stage.iso()
  const calico = missed ? 'v3.22.5' : 'v3.28.4'
  const plain = healthy({ nodes, calico, eks: { arn, createdAt, serviceNodePortRange: range } })
  const base = missed ? restarted(modeChanged(plain, 'ipvs'), 'kube-proxy') : plain
  const eks = valueOf(base.eks)
  if (!eks) throw new Error('EKS describes the cluster')
  const pods = valueOf(base.pods) ?? []
  const podOn = (role: PodState['role'], node: string) => pods.find((it) => it.role === role && it.node === node)
  const machines = (valueOf(base.nodes) ?? []).map((node): Machine => {
    const proxy = podOn('kube-proxy', node.name)
    if (!proxy) throw new Error('every node runs kube-proxy')
    const { name, createdAt, readySince = createdAt } = node
    return { name, createdAt, ready: true, readySince, calico: podOn('calico-node', name), proxy, restarts: 0 }
  })
  const objects = valueOf(base.felix)?.objects ?? []
  return {
    ref,
    generation,
    exists: true,
    base,
    eks,
    machines: new Map(machines.map((it) => [it.name, it])),
    felix: new Map(objects.map((it) => [it.name, it])),
    lease: undefined,
    versions: 100,
    modeChangedAt: missed ? Date.parse('2026-11-10T12:00:00Z') : 0,
  }
}

/** The range that Felix on a node goes by: its own object, then `default`; the annotation before the field. */
export const rangeOn = ({ felix }: Cluster, machine: string): string | undefined =>
  rangeIn(felix.get(`node.${machine}`)) ?? rangeIn(felix.get('default'))

export const rangeIn = (object: FelixObject | undefined): string | undefined => {
  const field = object?.spec['kubeNodePortRanges'] as (string | number)[] | undefined
  return object?.annotations[rangeKey] ?? field?.join(',')
}

const breaks = (cluster: Cluster, { name, breaksOn }: Machine): boolean =>
  breaksOn !== undefined && breaksOn === rangeOn(cluster, name)

/** Felix stops two seconds after the text of its range changed, and is back some seconds later, unless it breaks on it. */
const restartFelix = (
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
    if (machine.calico && !machine.calico.ready)
      machine.calico = { ...machine.calico, ready: true, readySince: stage.iso() }
  })
  // Three readiness probes at intervals of ten seconds must fail.
  schedule.after(32_000, () => {
    if (!isNewest() || !machine.down || !machine.calico?.ready) return
    machine.calico = { ...machine.calico, ready: false, readySince: stage.iso() }
    note(cluster.ref.name, `calico-node on ${machine.name} is not Ready any more`)
  })
}

/** Every write of a FelixConfiguration goes through here, as every Felix would see it. `undefined`: deleted. */
export const writeFelix = (
  stage: Stage,
  watch: Watch,
  {
    cluster,
    writer,
    name,
    after: given,
  }: { cluster: Cluster; writer: Writer; name: string; after: FelixObject | undefined },
): FelixObject | undefined => {
  const before = cluster.felix.get(name)
  const machines = [...cluster.machines.values()]
  const ranges = new Map(machines.map((it) => [it, rangeOn(cluster, it.name)]))
  const manager = writer.kind === 'others' ? 'kubectl-edit' : 'calico-ipvs-sync'
  const fields = (given?.managedFields ?? []).filter((it) => it.manager !== manager)
  cluster.versions += 1
  const after = given && {
    ...given,
    resourceVersion: `${cluster.versions}`,
    managedFields: [...fields, owns(manager, ['f:metadata', 'f:annotations', `f:${rangeKey}`], stage.iso())],
  }
  if (after) cluster.felix.set(name, after)
  else cluster.felix.delete(name)
  const touched = machines.flatMap((machine) => {
    const [from, to] = [ranges.get(machine), rangeOn(cluster, machine.name)]
    return from === to || !machine.calico ? [] : [{ machine, from, to, wasWell: !machine.down }]
  })
  stage.note(
    writer.name,
    `${cluster.ref.name}: ${name} ${rangeIn(before) ?? '-'} -> ${after ? (rangeIn(after) ?? '-') : 'deleted'}, Felix restarts on ${touched.map(({ machine }) => machine.name).join(' ') || 'no node'}`,
  )
  for (const { machine } of touched) restartFelix(stage, cluster, { machine, writer })
  watch.wrote({ cluster, writer, name, before, after, touched })
  return after
}

/** The pod goes, and its DaemonSet makes another. */
export const deletePod = (
  stage: Stage,
  watch: Watch,
  { cluster, writer, machine }: { cluster: Cluster; writer: Writer; machine: Machine },
): void => {
  const { schedule, random } = stage
  const old = machine.calico
  if (!old) return
  watch.deletedPod(cluster, writer, machine)
  stage.note(writer.name, `${cluster.ref.name}: deletes ${old.name}`)
  machine.calico = undefined
  machine.restarts += 1
  const mine = machine.restarts
  machine.down ??= { since: schedule.now(), by: writer }
  schedule.after(random.between(2_000, 6_000), () => {
    if (cluster.machines.get(machine.name) !== machine || machine.restarts !== mine) return
    startPod(stage, cluster, machine)
  })
}

export const startPod = (stage: Stage, cluster: Cluster, machine: Machine): void => {
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
    if (machine.calico) machine.calico = { ...machine.calico, ready: true, readySince: stage.iso() }
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

export const nodeState = ({ name, createdAt, ready, readySince }: Machine) =>
  nodeNamed(name, { createdAt, ready, readySince })
