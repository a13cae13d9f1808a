import type { ClusterCheck } from './checks.ts'
import { listed, text } from './range-layers.ts'
import { portUse } from '../facts/port-use.ts'
import { valueOf } from '../read.ts'

const usesShown = 20

export const strayPorts: ClusterCheck = ({ strays, serviceRange, nodes }) => {
  if (strays.length === 0 || nodes.every(({ outside }) => outside !== undefined)) return []
  const ports = text(strays.map(({ port }) => ({ min: port, max: port })))
  return [
    {
      code: 'STRAY_NODE_PORT',
      severity: 'info',
      subject: 'cluster',
      message: `Node ports in use outside the service range ${serviceRange.min}:${serviceRange.max}: ${ports}. They remain until their Service is created again; until then Calico's range must contain them.`,
      evidence: strays.slice(0, usesShown).map(portUse),
      remedy: 'Create the Services again, or set a nodePort inside the range, when their clients can use new ports.',
    },
  ]
}

/** Under IPVS Felix's rule for node ports covers only TCP and UDP (felix/rules/static.go), for any range. */
export const sctpPorts: ClusterCheck = ({ state, nodes }) => {
  const sctp = (valueOf(state.nodePorts) ?? []).filter(({ protocol }) => protocol === 'SCTP')
  if (sctp.length === 0 || !nodes.some(({ ipvs }) => ipvs === 'active')) return []
  return [
    {
      code: 'NODE_PORT_SCTP',
      severity: 'info',
      subject: 'cluster',
      message: `Under IPVS Felix supports node ports of TCP and UDP only; it treats traffic to these SCTP ports as traffic to the host, with any range: ${listed([...new Set(sctp.map(({ service, port }) => `${service} ${port}`))])}.`,
      evidence: sctp.slice(0, usesShown).map((it) => ({ ...portUse(it), value: `${it.port}/SCTP` })),
      remedy:
        'If host-endpoint policy is used, allow these ports for SCTP in it, or expose the pods without a node port.',
    },
  ]
}
