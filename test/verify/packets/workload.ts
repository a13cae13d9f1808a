import type { Following } from '../../../lab/machine/start.ts'
import { until } from '../../until.ts'
import { felixConfigurations, mergePatch, rangeAnnotation } from '../proof/ground.ts'
import type { Ground } from './ground.ts'
import { addPod, askPause, inNamespace } from './network.ts'
import type { MachineNode } from './node.ts'
import { type NodePortService, podPort } from './ports.ts'

/** A pod that answers with its name, on TCP and UDP alike. */
export interface ServingPod {
  name: string
  address: string
  node: MachineNode
}

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
  await serve(ground, name, `guest serve ${name} tcp/${podPort} udp/${podPort}`)
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
    targetPort: podPort,
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
    ports: ports.map(({ name: portName, protocol }) => ({ name: portName, protocol, port: podPort })),
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
export async function denyToNodes(ground: Ground): Promise<void> {
  const { cluster, nodes } = ground
  for (const { name, address } of nodes)
    await cluster.request('POST', `${calico}/hostendpoints`, {
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'HostEndpoint',
      metadata: { name: `${name}-eth0`, labels: { role: 'node' } },
      spec: { node: name, interfaceName: 'eth0', expectedIPs: [address] },
    })
  await createPolicy(ground, 'nodes', { order: 10, types: ['Ingress', 'Egress'], egress: [{ action: 'Allow' }] })
}

const createPolicy = ({ cluster }: Ground, name: string, spec: object) =>
  cluster.request('POST', `${calico}/globalnetworkpolicies`, {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: `default.${name}` },
    spec: { tier: 'default', selector: "role == 'node'", ...spec },
  })

const bothTo = (ports: readonly number[]) =>
  (['TCP', 'UDP'] as const).map((protocol) => ({ action: 'Allow', protocol, destination: { ports } }))

/**
 * As Calico documents it for node ports: before load balancing these are let in, and what nodes and pods send; whatever else arrives is
 * denied, but for Calico's failsafe ports. Answers once every node's Felix has it.
 */
export async function allowNodePorts(ground: Ground, ports: readonly number[]): Promise<void> {
  const { items } = (await ground.cluster.request('GET', '/api/v1/pods')) as {
    items: { status?: { podIP?: string } }[]
  }
  const pods = items.flatMap(({ status }) => status?.podIP ?? [])
  const nets = [...new Set([...ground.nodes.map(({ address }) => address), ...pods])].map((it) => `${it}/32`)
  await createPolicy(ground, 'pre-dnat', {
    order: 5,
    preDNAT: true,
    applyOnForward: true,
    types: ['Ingress'],
    ingress: [...bothTo(ports), { action: 'Allow', source: { nets } }, { action: 'Deny' }],
  })
  await untilInRules(ground, 'pre-dnat', true)
}

/** Lets these ports in on every node. Answers once every node's Felix has it. */
export async function allowPorts(
  ground: Ground,
  { name, ports, applyOnForward }: { name: string; ports: readonly number[]; applyOnForward: boolean },
): Promise<void> {
  await createPolicy(ground, name, { order: 5, applyOnForward, types: ['Ingress'], ingress: bothTo(ports) })
  await untilInRules(ground, name, true)
}

/** Answers once no node's Felix has it any more. */
export async function removePolicy(ground: Ground, name: string): Promise<void> {
  await ground.cluster.request('DELETE', `${calico}/globalnetworkpolicies/default.${name}`)
  await untilInRules(ground, name, false)
}

/** Until the host endpoint's rules lead to it, or no longer do. */
const untilInRules = async (ground: Ground, name: string, isThere: boolean): Promise<void> => {
  const isDone = async () => {
    const all = await Promise.all(ground.nodes.map((node) => node.rules()))
    return all.every((rules) => rules.some((rule) => rule.endsWith(`-j cali-pi-default.${name}`)) === isThere)
  }
  await until(`the policy ${name} ${isThere ? 'in' : 'out of'} every node's rules`, isDone, 120, askPause)
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
