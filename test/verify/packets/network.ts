import { createHash } from 'node:crypto'
import type { Machine } from '../../../lab/machine/start.ts'

/** Milliseconds between two looks into the machine: each starts a program there, which takes its time from those that are awaited. */
export const askPause = 500

/** Outside the range that nodes and clients are numbered from; the way out of the machine, for nodes. */
export const hub = '10.1.255.254'
export const clientAddress = '10.1.200.1'
const client = 'client'

/** A network namespace's name for a node's address: `n0-1` for 10.1.0.1. */
export const namespaceOf = (address: string): string => `n${address.split('.').slice(2).join('-')}`

/** A bridge in the machine that all nodes and the client are plugged into, with a way to the lab's API server. */
export const layBridge = (machine: Machine): Promise<string> =>
  machine.run(`set -e
ip link add lab0 type bridge
ip address add ${hub}/16 dev lab0
ip link set lab0 up
iptables -t nat -A POSTROUTING -s 10.1.0.0/16 -o eth0 -j MASQUERADE
${plugIn(client, clientAddress)}`)

/** Of a host on the bridge. */
export const portOf = (namespace: string): string => `${namespace}-port`

/** A host's network of its own, with one interface. */
export const plugIn = (namespace: string, address: string): string => `ip netns add ${namespace}
ip link add ${portOf(namespace)} type veth peer name eth0 netns ${namespace}
ip link set ${portOf(namespace)} master lab0 up
ip -n ${namespace} address add ${address}/16 dev eth0
ip -n ${namespace} link set lo up
ip -n ${namespace} link set eth0 up
ip -n ${namespace} route add default via ${hub}
ip netns exec ${namespace} sysctl -q -w net.ipv4.ip_forward=1`

/** As the VPC CNI names a pod's link on its node, and Felix, told so by its environment, looks for it. */
export const linkOf = (namespace: string, pod: string): string =>
  `eni${createHash('sha1').update(`${namespace}.${pod}`).digest('hex').slice(0, 11)}`

/** A pod's network: a namespace of its own and one link to its node. Felix may have made the route before. */
export const addPod = (node: string, pod: { namespace: string; name: string; address: string }): string => {
  const link = linkOf(pod.namespace, pod.name)
  return `set -e
ip netns add ${pod.name}
ip -n ${node} link add ${link} type veth peer name eth0 netns ${pod.name}
ip -n ${pod.name} address add ${pod.address}/32 dev eth0
ip -n ${pod.name} link set lo up
ip -n ${pod.name} link set eth0 up
ip -n ${node} link set ${link} up
ip netns exec ${node} sysctl -q -w net.ipv4.conf.${link}.proxy_arp=1
ip -n ${pod.name} route add 169.254.1.1 dev eth0 scope link
ip -n ${pod.name} route add default via 169.254.1.1 dev eth0
ip -n ${node} route replace ${pod.address}/32 dev ${link} scope link`
}

export const inNamespace = (namespace: string, command: string): string => `exec ip netns exec ${namespace} ${command}`
export const inClient = (command: string): string => inNamespace(client, command)
