import { type ProgramName, requireBinary } from '../../../lab/binaries.ts'
import { type ControlPlane, startControlPlane } from '../../../lab/control-plane/start.ts'
import { populate } from '../../../lab/fixtures/populate.ts'
import { machineImage } from '../../../lab/machine/image.ts'
import { type Machine, startMachine } from '../../../lab/machine/start.ts'
import { until } from '../../until.ts'
import { makeWorkdir } from '../chapters/workdir.ts'
import { startFelixNodes } from '../felix-nodes/start.ts'
import type { Pace } from '../proof/ground.ts'
import { askPause, layBridge } from './network.ts'
import { createMachineNode, type MachineNode } from './node.ts'

/** A real control plane on this machine; nodes in a virtual one, each with the real Felix and the real kube-proxy. */
export interface Ground {
  /** Logs of everything; it stays after `stop`. */
  workdir: string
  cluster: ControlPlane
  machine: Machine
  nodes: MachineNode[]
  /** The command line to be driven, in place of this checkout's. */
  tool?: string
  /** What the tool waits for. */
  pace: Pace
  stop: () => Promise<void>
}

/**
 * A node must be watched until three probes have failed, or the next is touched while it is away: two seconds until Felix ends, three
 * probes of a second, and what an emulated machine on a busy host adds to each.
 */
export const pace: Pace = { canarySeconds: 20, settleSeconds: 18, nodeDeadlineSeconds: 180 }

const calicoNode = { namespace: 'calico-system', name: 'calico-node' }

/** The control plane, with so many nodes, and the machine, in which no program of a node runs. */
export async function layMachine(name: string, programs: readonly ProgramName[], count = 1): Promise<Ground> {
  const workdir = makeWorkdir('calico-ipvs-sync-packets-')
  const image = await machineImage(Object.fromEntries(programs.map((it) => [it, requireBinary(it)])))
  const undo: (() => Promise<void>)[] = []
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const machine = await startMachine(image, workdir)
    undo.push(machine.stop)
    const cluster = await startControlPlane({ name, workdir, nodePortRange: { min: 20_000, max: 32_767 } })
    undo.push(() => cluster.stop())
    await Promise.all([
      layBridge(machine),
      populate(cluster, {
        nodes: count,
        kubernetesVersion: '1.36.3',
        kubeProxy: { mode: 'ipvs' },
        calico: { version: 'v3.28.4', install: 'operator', probeSeconds: 1 },
      }),
    ])
    return { workdir, cluster, machine, nodes: [], pace, stop }
  } catch (error) {
    await stop()
    throw new Error(`The ground could not be laid. Logs are in ${workdir}.`, { cause: error })
  }
}

/** Nodes in IPVS mode, where Felix has what is built in: 30000:32767. */
export async function layGround(name: string, count: number): Promise<Ground> {
  const ground = await layMachine(name, ['felix', 'kube-proxy'], count)
  const { cluster, machine, nodes } = ground
  const undo = [ground.stop]
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) await step()
  }
  try {
    const felix = await startFelixNodes(cluster, calicoNode, async (request) => {
      const node = await createMachineNode(machine, request)
      nodes.push(node)
      await node.startProxy('ipvs')
      return node
    })
    undo.push(felix.stop)
    await until(
      () =>
        `kube-proxy has not made its link: ${nodes.map((node) => node.proxyLog().slice(-3).join(' | ')).join('; ')}`,
      async () => {
        const links = await Promise.all(nodes.map((node) => machine.run(`ip -n ${node.namespace} -o link`)))
        return links.every((it) => it.includes('kube-ipvs0'))
      },
      120,
      askPause,
    )
    return { ...ground, stop }
  } catch (error) {
    await stop()
    throw new Error(`The nodes did not start. Logs are in ${ground.workdir}.`, { cause: error })
  }
}
