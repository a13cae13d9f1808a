import type { ClusterState, EksState, FelixObject, PodState, RolloutRecord } from '../../../shared/domain/cluster.ts'
import { valueOf } from '../../../shared/domain/read.ts'
import type { ClusterRef } from '../../../shared/messages.ts'
import { healthy, modeChanged, rangeKey, restarted } from '../../domain/states.ts'
import type { Stage } from './stage.ts'

/** Who writes into a cluster. */
export interface Writer {
  name: string
  /** `function`, `terminal`: our own; `others`: anybody else. */
  kind: 'function' | 'terminal' | 'others'
  /** When the call was sent that writes. */
  sentAt?: number
  /** Its message is about the cluster that EKS created then. */
  incarnation?: string | undefined
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
  /** The writer had read the object as it was before. */
  isRead: boolean
  /** Nodes whose Felix restarts, with its range before and after. */
  touched: { machine: Machine; from: string | undefined; to: string | undefined; wasWell: boolean }[]
}

export interface Watch {
  /** One of us has read the FelixConfigurations for a step. */
  looked: (cluster: Cluster) => void
  /** One of us has sent a write of an object, which has not arrived yet. */
  writes: (cluster: Cluster, name: string) => void
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

/** Felix reads the names of its parameters in any case. */
export const otherSpelling = rangeKey.toLowerCase()

export const rangeIn = (object: FelixObject | undefined): string | undefined => {
  const field = object?.spec['kubeNodePortRanges'] as (string | number)[] | undefined
  // The list reaches Felix as text that it cannot read: a value of its own, which is never the wanted one.
  return object?.annotations[rangeKey] ?? object?.annotations[otherSpelling] ?? (field && `[${field.join(' ')}]`)
}
