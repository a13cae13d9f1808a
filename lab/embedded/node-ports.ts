import type { PortSpan } from '../cluster.ts'
import { type Fieldful, isRecord, type KubeObject, listAt, recordAt } from './object.ts'
import { ApiFailure, type Cause, invalid, invalidValue, requiredValue } from './status.ts'

export interface PortAllocation {
  range: PortSpan
  /** Ports of all other Services. */
  taken: ReadonlySet<number>
  /** A dry run checks no range: it only asks what is taken (k/k portallocator/operation.go). */
  dryRun: boolean
}

const subjectOf = (name: string) => ({ group: '', kind: 'Service', name })

export function validateService(service: KubeObject): void {
  const spec = recordAt(service, 'spec')
  const causes: Cause[] = []
  const ports = listAt(service, 'spec', 'ports')
  if (ports.length === 0 && spec['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName') {
    causes.push(requiredValue('spec.ports'))
  }
  ports.forEach((port, index) => {
    if (spec['type'] === 'ClusterIP' && isRecord(port) && isPort(port['nodePort'])) {
      const message = "Forbidden: may not be used when `type` is 'ClusterIP'"
      causes.push({ reason: 'FieldValueForbidden', message, field: `spec.ports[${index}].nodePort` })
    }
  })
  if (causes.length > 0) throw invalid(subjectOf(service.metadata.name), causes)
}

/**
 * The Service with every node port it needs. Throws 422 with the words the node-port probe reads, 500 for the health
 * check's port.
 */
export function allocateNodePorts(
  service: KubeObject,
  before: KubeObject | undefined,
  allocation: PortAllocation,
): KubeObject {
  const spec = recordAt(service, 'spec')
  if (!needsNodePorts(spec)) return service
  const owned = new Set(before === undefined ? [] : nodePortsOf(before))
  const taken = new Set(allocation.taken)
  const ports = listAt(service, 'spec', 'ports').map((port, index) => {
    if (!isRecord(port)) return port
    const asked = port['nodePort']
    if (!isPort(asked)) return { ...port, nodePort: firstFree(taken, allocation.range) }
    if (!owned.has(asked)) {
      const problem = problemWith(asked, { ...allocation, taken })
      if (problem !== undefined) {
        throw invalid(subjectOf(service.metadata.name), [invalidValue(`spec.ports[${index}].nodePort`, asked, problem)])
      }
    }
    taken.add(asked)
    return port
  })
  return { ...service, spec: { ...spec, ports, ...healthCheckPort(spec, owned, { ...allocation, taken }) } }
}

function healthCheckPort(spec: Fieldful, owned: ReadonlySet<number>, allocation: PortAllocation): Fieldful {
  if (spec['type'] !== 'LoadBalancer' || spec['externalTrafficPolicy'] !== 'Local') return {}
  const asked = spec['healthCheckNodePort']
  if (!isPort(asked)) return { healthCheckNodePort: firstFree(new Set(allocation.taken), allocation.range) }
  const problem = owned.has(asked) ? undefined : problemWith(asked, allocation)
  if (problem === undefined) return {}
  const message = `failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`
  throw new ApiFailure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
}

function problemWith(port: number, { range, taken, dryRun }: PortAllocation): string | undefined {
  if (taken.has(port)) return 'provided port is already allocated'
  if (dryRun || (port >= range.min && port <= range.max)) return undefined
  return `provided port is not in the valid range. The range of valid ports is ${range.min}-${range.max}`
}

/** From the middle on, so that ports asked for by number near the edges rarely clash. */
function firstFree(taken: Set<number>, { min, max }: PortSpan): number {
  const size = max - min + 1
  for (let step = 0; step < size; step += 1) {
    const port = min + ((Math.floor(size / 4) + step) % size)
    if (taken.has(port)) continue
    taken.add(port)
    return port
  }
  throw new ApiFailure(500, 'InternalError', 'Internal error occurred: failed to allocate a nodePort: range is full')
}

const needsNodePorts = (spec: Fieldful): boolean =>
  spec['type'] === 'NodePort' || (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)

const isPort = (value: unknown): value is number => typeof value === 'number' && value !== 0

/** Every node port and health-check port of a Service. */
export function nodePortsOf(service: KubeObject): number[] {
  const ports = listAt(service, 'spec', 'ports').map((port) => (isRecord(port) ? port['nodePort'] : undefined))
  return [...ports, recordAt(service, 'spec')['healthCheckNodePort']].filter(isPort)
}
