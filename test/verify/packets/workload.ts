import type { Following } from '../../../lab/machine/start.ts'
import { until } from '../../until.ts'
import { felixConfigurations, mergePatch, rangeAnnotation } from '../proof/ground.ts'
import type { Ground } from './ground.ts'
import { addPod, inNamespace } from './network.ts'
import type { MachineNode } from './node.ts'

/** A pod that answers with its name, on TCP and UDP alike. */
export interface ServingPod {
  name: string
  address: string
  node: MachineNode
}

const port = 8080
const calico = '/apis/crd.projectcalico.org/v1'

/** Makes the pod, waits until the simulated kubelet has given it an address, and makes its network and its server in the machine. */
export async function startPod(
  ground: Ground,
  node: MachineNode,
  name: string,
  labels: Record<string, string>,
): Promise<ServingPod> {
  const { cluster, machine } = ground
  const pods = '/api/v1/namespaces/default/pods'
  await cluster.request('POST', pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: { nodeName: node.name, containers: [{ name: 'server', image: 'server' }] },
  })
  const address = await until(`an address of ${name}`, async () => {
    const pod = (await cluster.request('GET', `${pods}/${name}`)) as { status?: { podIP?: string } }
    return pod.status?.podIP
  })
  const others = ground.nodes.filter((it) => it !== node)
  const routes = others.map((it) => `ip -n ${it.namespace} route replace ${address}/32 via ${node.address}`)
  await machine.run([addPod(node.namespace, { namespace: 'default', name, address }), ...routes].join('\n'))
  await serve(ground, name, `guest serve ${name} tcp/${port} udp/${port}`)
  return { name, address, node }
}

/** A process that listens on a node itself, and answers with this name. */
export const startHostProcess = (ground: Ground, node: MachineNode, name: string, on: number): Promise<Following> =>
  serve(ground, node.namespace, `guest serve ${name} tcp/${on} udp/${on}`)

async function serve({ machine }: Ground, namespace: string, command: string): Promise<Following> {
  let isServing = false
  const server = machine.follow(inNamespace(namespace, command), () => {
    isServing = true
  })
  await until(`${command} in ${namespace}`, () => isServing)
  return server
}

export interface NodePortService {
  name: string
  nodePort: number
  policy: 'Cluster' | 'Local'
}

/** A Service of type NodePort for TCP and UDP, and its endpoints, which no controller makes here. */
export async function createService(
  { cluster }: Ground,
  { name, nodePort, policy }: NodePortService,
  pods: readonly ServingPod[],
) {
  const ports = (['TCP', 'UDP'] as const).map((protocol) => ({
    name: protocol.toLowerCase(),
    protocol,
    port: 80,
    targetPort: port,
    nodePort,
  }))
  await cluster.request('POST', '/api/v1/namespaces/default/services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'NodePort', externalTrafficPolicy: policy, selector: { app: 'none' }, ports },
  })
  await cluster.request('POST', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: ports.map(({ name: portName, protocol }) => ({ name: portName, protocol, port })),
    endpoints: pods.map(({ address, node }) => ({
      addresses: [address],
      nodeName: node.name,
      conditions: { ready: true, serving: true, terminating: false },
    })),
  })
}

/**
 * Every node is a host endpoint, and nothing may reach it but what Calico's failsafe ports let in: what is forwarded through it to a
 * pod is another matter, and is let through.
 */
export async function denyToNodes({ cluster, nodes }: Ground): Promise<void> {
  for (const { name, address } of nodes)
    await cluster.request('POST', `${calico}/hostendpoints`, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'HostEndpoint',
      metadata: { name: `${name}-eth0`, labels: { role: 'node' } },
      spec: { node: name, interfaceName: 'eth0', expectedIPs: [address] },
    })
  await cluster.request('POST', `${calico}/globalnetworkpolicies`, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'default.nodes' },
    spec: {
      tier: 'default',
      order: 10,
      selector: "role == 'node'",
      types: ['Ingress', 'Egress'],
      egress: [{ action: 'Allow' }],
    },
  })
}

/** The range by hand, as a person would: undefined takes the annotation, the field, or both away. */
export async function setRange(
  { cluster }: Ground,
  { annotation, spec }: { annotation?: string | undefined; spec?: string | undefined },
): Promise<void> {
  const body = {
    metadata: { annotations: { [rangeAnnotation]: annotation ?? null } },
    spec: { kubeNodePortRanges: spec === undefined ? null : [spec] },
  }
  await cluster.request('PATCH', `${felixConfigurations}/default`, body, mergePatch)
}
