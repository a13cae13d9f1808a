import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { V1Node } from '@kubernetes/client-node'
import { requireBinary } from '../../../lab/binaries.ts'
import type { LabCluster } from '../../../lab/cluster.ts'
import { writeKubeconfig } from '../../../lab/control-plane/files.ts'
import { watch } from '../../../lab/watch.ts'
import { breakNode } from '../../../lab/fixtures/faults.ts'
import { type DaemonSetName, untilSettled } from '../../../lab/fixtures/settle.ts'
import { type CalicoNodePod, startKubelet } from './kubelet.ts'
import { layBridge } from './network.ts'
import { createFelixNode, type FelixNode } from './node.ts'
import type { NodeRequest } from './node-request.ts'
import { until } from '../../until.ts'

export interface FelixNodes {
  nodes: FelixNode[]
  stop: () => Promise<void>
}

/** Each in a network namespace of this machine. Only inside a private network, and for one cluster in it. */
const createHere = async (request: NodeRequest): Promise<FelixNode> => {
  await layBridge()
  return await createFelixNode({ ...request, felix: requireBinary('felix') })
}

/**
 * Takes every node of a populated cluster over from the simulated kubelets, as far as calico-node goes: its pods are made anew, and
 * behind each runs Calico's Felix, on a node that `create` makes. Resolves when all of them are ready.
 */
export async function startFelixNodes(
  cluster: LabCluster,
  daemonSet: DaemonSetName,
  create: (request: NodeRequest) => Promise<FelixNode> = createHere,
): Promise<FelixNodes> {
  const folder = join(dirname(cluster.kubeconfig), 'felix')
  mkdirSync(folder, { recursive: true })
  const { items } = (await cluster.request('GET', '/api/v1/nodes')) as { items: V1Node[] }
  const nodes: FelixNode[] = []
  for (const node of items) nodes.push(await create(await requestFor(cluster, node, folder)))
  const kubelets = new Map(nodes.map((node) => [node.name, startKubelet(cluster, node)]))
  // Run, but never become ready by the simulated kubelets' own word: that is Felix's to say.
  await Promise.all(nodes.map(({ name }) => breakNode(cluster, name, 'unready')))
  const path = `/api/v1/namespaces/${daemonSet.namespace}/pods`
  const calicoNode = { path, query: 'labelSelector=k8s-app%3Dcalico-node' }
  const pods = await watch(cluster, calicoNode, ({ type, object }) => {
    const { metadata, ...rest } = object
    const gone = type === 'DELETED' ? { deletionTimestamp: new Date().toISOString() } : {}
    const pod = { ...rest, metadata: { ...metadata, ...gone } } as unknown as CalicoNodePod
    kubelets.get(object.spec?.nodeName ?? '')?.hear(pod)
  })
  const stop = async () => {
    pods.stop()
    await Promise.all([...kubelets.values()].map((kubelet) => kubelet.stop()))
    await Promise.all(nodes.map((node) => node.remove()))
  }
  try {
    for (const { metadata } of pods.objects.values()) await cluster.request('DELETE', `${path}/${metadata.name}`)
    await until(
      () => `Felix is not ready on ${unready(nodes)}`,
      () => nodes.every((node) => node.isReady()),
      180,
    )
    await untilSettled(cluster, daemonSet, { pods: nodes.length })
    return { nodes, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const unready = (nodes: FelixNode[]): string =>
  nodes
    .filter((node) => !node.isReady())
    .map(({ name }) => name)
    .join(', ')

async function requestFor(cluster: LabCluster, node: V1Node, folder: string): Promise<NodeRequest> {
  const name = node.metadata?.name ?? ''
  const address = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? ''
  // As calico-node's start-up writes it; Felix knows its own host by it.
  const annotations = { 'projectcalico.org/IPv4Address': `${address}/16` }
  await cluster.request('PATCH', `/api/v1/nodes/${name}`, { metadata: { annotations } }, 'application/merge-patch+json')
  const caPem = Buffer.from(cluster.caData, 'base64').toString()
  const kubeconfigFor = (server: string): string =>
    writeKubeconfig({
      file: join(folder, `${name}.kubeconfig`),
      name: cluster.name,
      server,
      serverName: 'localhost',
      caPem,
      token: cluster.adminToken,
    })
  return { name, address, folder, apiPort: Number(new URL(cluster.server).port), kubeconfigFor }
}
