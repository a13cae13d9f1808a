import type { ClusterCheck } from './checks.ts'
import { listed } from './range-layers.ts'

/** Ports of the host's own servers. */
const hostPorts: readonly { port: number; of: string }[] = [
  { port: 22, of: 'SSH' },
  { port: 179, of: 'BGP' },
  { port: 6443, of: "the API server's" },
  { port: 10_250, of: "the kubelet's" },
]

/**
 * Under IPVS Felix does not apply host-endpoint policy to ports that it treats as node ports (felix/rules/static.go).
 */
export const hostPortsInRange: ClusterCheck = ({ desired = [], nodes, serviceRange: { min, max } }) => {
  const [first] = desired
  const held = hostPorts.filter(({ port }) => desired.some((it) => it.min <= port && port <= it.max))
  const low = first && first.min < 1024 ? [`ports below 1024, from ${first.min}`] : []
  const what = [...low, ...held.map(({ port, of }) => `${port} (${of})`)]
  if (what.length === 0 || nodes.every(({ outside }) => outside !== undefined)) return []
  const ports = [...(first && low.length > 0 ? [first.min] : []), ...held.map(({ port }) => port)]
  const isOfRange = ports.every((port) => min <= port && port <= max)
  const isUsed = nodes.some(({ ipvs }) => ipvs === 'active')
  return [
    {
      code: 'RANGE_HOST_PORTS',
      severity: isUsed ? 'warning' : 'info',
      subject: 'cluster',
      message: `The service range${isOfRange ? ' contains' : ', with the ports that Services use outside it, contains'} ${listed(what)}. ${isUsed ? 'Felix must treat these as node ports too, and then' : 'Under IPVS Felix would have to treat these as node ports too, and then'} host-endpoint policy is skipped for the host's own servers there.`,
      evidence: [{ object: 'kube-apiserver', field: 'serviceNodePortRange', value: `${min}:${max}` }],
      remedy:
        "Choose a service range without the host's own ports (--service-node-port-range of kube-apiserver; EKS accepts 10260-32767), and create Services with a port outside it again.",
    },
  ]
}
