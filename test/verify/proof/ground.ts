import { type ControlPlane, startControlPlane } from '../../../lab/control-plane/start.ts'
import type { FelixNode } from '../felix-nodes/node.ts'
import { makeWorkdir } from '../chapters/workdir.ts'
import { startFelixNodes } from '../felix-nodes/start.ts'
import { until } from '../../until.ts'
import { calicoNamespace, type CalicoSpec, type ClusterSpec } from '../../../lab/fixtures/cluster-spec.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { deployFor, doorFor, type OnAws } from './aws.ts'
import { nodePortsIn } from './rules.ts'

export interface GroundSpec {
  /** So many, in three zones by turns, or each by itself. */
  nodes: ClusterSpec['nodes']
  /** kube-proxy's mode; in IPVS mode every node has its link from the start. `ipvs` unless told. */
  mode?: 'iptables' | 'ipvs'
  /** Felix is v3.28.4 whatever this says: it is what the pods' image says, by which the tool judges. v3.28.4 unless told. */
  calicoVersion?: string
  felixConfigurations?: ClusterSpec['felixConfigurations']
  /** The cluster is one of EKS, and the stack is deployed beside it. */
  onAws?: true
}

/** A real control plane, and a real Felix with a packet filter of its own on every node. */
export interface Ground {
  /** Logs of everything; it stays after `stop`. */
  workdir: string
  cluster: ControlPlane
  /** The command line to be driven, in place of this checkout's. */
  tool?: string
  /** What the tool waits for, where it is not `pace`. */
  pace?: Pace
  nodes: FelixNode[]
  /** Where the ground is `onAws`. */
  aws?: OnAws
  /** The node-port rules of each node, in the nodes' order: `20000:32767`; empty where there are none. */
  ports: () => Promise<string[]>
  /** Until every node's rules say so. Throws after half a minute with what they say instead. */
  untilPorts: (ports: string) => Promise<void>
  stop: () => Promise<void>
}

export const felixConfigurations = '/apis/crd.projectcalico.org/v1/felixconfigurations'
export const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/calico-ipvs-sync'
export const mergePatch = 'application/merge-patch+json'
export const rangeAnnotation = 'config.projectcalico.org/KubeNodePortRanges'
/** Felix's own default. */
export const builtIn = '30000:32767'

/**
 * The readiness probe asks every second in place of every ten, so that a run takes minutes: what the tool waits for is
 * shortened in the same measure.
 */
const probeSeconds = 1
export const pace = { canarySeconds: 4, settleSeconds: 4, nodeDeadlineSeconds: 30 }
export type Pace = typeof pace

export async function layGround(name: string, spec: GroundSpec): Promise<Ground> {
  const { nodes: count, mode = 'ipvs', calicoVersion: version = 'v3.28.4' } = spec
  const workdir = makeWorkdir('calico-ipvs-sync-proof-')
  const door = doorFor(name)
  const cluster = await startControlPlane({ name, workdir, authenticate: door.authenticate })
  const undo: (() => Promise<void>)[] = [() => cluster.stop()]
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const calico: CalicoSpec = { version, install: 'operator', probeSeconds }
    const { felixConfigurations: objects } = spec
    await populate(cluster, {
      nodes: count,
      kubernetesVersion: '1.36.3',
      kubeProxy: { mode },
      calico,
      ...(objects && { felixConfigurations: objects }),
    })
    const felix = await startFelixNodes(cluster, { namespace: calicoNamespace(calico), name: 'calico-node' })
    undo.push(felix.stop)
    const { nodes } = felix
    const ports = async () => await Promise.all(nodes.map(async (node) => nodePortsIn(await node.rules())))
    const untilPorts = async (wanted: string) => {
      let last: string[] = []
      const all = async () => (last = await ports()).every((it) => it === wanted)
      await until(() => `The rules are for ${last.join(', ')} and not for ${wanted}`, all, 30)
    }
    if (mode === 'ipvs') {
      await Promise.all(nodes.map((node) => node.link(true)))
      await untilPorts(builtIn)
    }
    await until(
      () => 'Felix is not ready on every node',
      () => nodes.every((node) => node.isReady()),
      30,
    )
    const aws = spec.onAws && (await deployFor(cluster, door, pace))
    if (aws) undo.push(() => aws.cloud.stop())
    return { workdir, cluster, nodes, ports, untilPorts, stop, ...(aws && { aws }) }
  } catch (error) {
    await stop()
    throw error
  }
}
