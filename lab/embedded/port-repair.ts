import { randomBytes } from 'node:crypto'
import { type Context, internalWrite } from './context.ts'
import { nodePortsOf } from './node-ports.ts'
import type { KubeObject } from './object.ts'
import { create } from './writes.ts'

/** After a range was narrowed Services keep their ports, and the API server's repair loop says so in Events. */
export function reportPortsOutOfRange(context: Context): void {
  const { registry, store, nodePortRange } = context
  const [services, events] = [registry.find('', 'v1', 'services'), registry.find('', 'v1', 'events')]
  if (services === undefined || events === undefined) return
  for (const [, service] of store.list(services) ?? []) {
    const outside = nodePortsOf(service).filter((port) => port < nodePortRange.min || port > nodePortRange.max)
    for (const port of outside) {
      create(context, events, portEvent(context, service, port), internalWrite('kube-apiserver'))
    }
  }
}

function portEvent({ now, nodePortRange: { min, max } }: Context, { metadata }: KubeObject, port: number): KubeObject {
  const { name, namespace = '', uid, resourceVersion } = metadata
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: { kind: 'Service', apiVersion: 'v1', name, namespace, uid, resourceVersion },
    reason: 'PortOutOfRange',
    type: 'Warning',
    action: 'PortAllocation',
    message: `Port ${port} is not within the port range ${min}-${max}; please recreate service`,
    eventTime: now().toISOString().replace('Z', '000Z'),
    firstTimestamp: null,
    lastTimestamp: null,
    reportingComponent: 'portallocator-repair-controller',
    reportingInstance: 'portallocator-repair-controller-embedded',
    source: {},
  }
}
