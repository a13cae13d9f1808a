import type { ClusterState, EksState, FelixObject, PodState, RolloutRecord } from '../../../shared/domain/cluster.ts'
import { valueOf } from '../../../shared/domain/read.ts'
import type { ClusterRef } from '../../../shared/messages.ts'
import type { Party } from './call.ts'
import { type Nature, plainNature, stateOf } from './natures.ts'
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
  zone?: string
  /** It has a taint that calico-node does not tolerate. */
  tainted?: true
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
  /** A function has read the FelixConfigurations to evaluate the cluster. */
  evaluated: (cluster: Cluster, party: Party) => void
  /** One of us has sent a write of an object, which has not arrived yet. */
  writes: (cluster: Cluster, name: string) => void
  /** One of us has sent a write of the Lease. */
  leasing: (cluster: Cluster) => void
  wrote: (write: Write) => void
  deletedPod: (cluster: Cluster, writer: Writer, machine: Machine) => void
  leased: (cluster: Cluster, writer: Writer, before: RolloutRecord | undefined) => void
}

const nothing = () => undefined
/** Nothing is checked. */
export const nobody: Watch = {
  looked: nothing,
  evaluated: nothing,
  leasing: nothing,
  writes: nothing,
  wrote: nothing,
  deletedPod: nothing,
  leased: nothing,
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
  nature: Nature
  trouble: Trouble
}

/** What somebody has done to a cluster, for a while. */
export interface Trouble {
  /** Calico's own API server is `down`, or `gone` with its registration. */
  api?: 'down' | 'gone' | undefined
  /** RBAC denies us every write. */
  denied?: boolean
  /** Two DaemonSets run calico-node. */
  migrating?: boolean
  /** Nobody gets an answer, or nobody is known. */
  closed?: 'unreachable' | 'unauthenticated' | undefined
  /** Lists of nodes are empty. */
  nodeless?: boolean
  /** Lists of pods are empty. */
  podless?: boolean
  /** The pod of this node is missing in every list. */
  unlisted?: string
  /** No log can be read. */
  logless?: 'alone' | 'and no ConfigMap' | 'and nothing else'
  /** Calico's DaemonSet is deleted, or made again and not yet seen by its controller. */
  daemonSet?: 'gone' | 'unseen'
  /** Felix rejects `default`, and does not start. */
  rejected?: boolean
}

export interface ClusterWish {
  ref: ClusterRef
  generation: number
  nodes: number
  range: { min: number; max: number }
  nature?: Nature
}

export const clusterOf = (
  stage: Stage,
  { ref, generation, nodes, range, nature = plainNature }: ClusterWish,
): Cluster => {
  const arn = `arn:aws:eks:${ref.region}:${ref.account}:cluster/${ref.name}`
  const createdAt = generation === 1 ? '2026-11-01T07:00:00.000Z' : stage.iso()
  const base = stateOf(nature, { nodes, eks: { arn, createdAt, serviceNodePortRange: range, tags: { team: 'shop' } } })
  const eks = valueOf(base.eks)
  if (!eks) throw new Error('EKS describes the cluster')
  const pods = valueOf(base.pods) ?? []
  const podOn = (role: PodState['role'], node: string) => pods.find((it) => it.role === role && it.node === node)
  const machines = (valueOf(base.nodes) ?? []).map((node, index): Machine => {
    const proxy = podOn('kube-proxy', node.name)
    if (!proxy) throw new Error('every node runs kube-proxy')
    const { name, createdAt, readySince = createdAt } = node
    const zone = nature.zones > 0 ? `zone-${index % nature.zones}` : undefined
    const run = { calico: podOn('calico-node', name), proxy }
    return { name, createdAt, ready: true, readySince, ...run, restarts: 0, ...(zone && { zone }) }
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
    modeChangedAt: nature.missed ? Date.parse('2026-11-10T12:00:00Z') : 0,
    nature,
    trouble: {},
  }
}
