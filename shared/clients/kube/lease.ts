import type { RolloutRecord } from '../../domain/cluster.ts'
import { lease } from '../../domain/rollout/annotations.ts'
import { type Foreign, numberOf, objectOf, present, textOf, timeOf } from '../foreign.ts'
import type { LeaseChange } from './client.ts'
import { metadataOf } from './metadata.ts'

const collection = `/apis/coordination.k8s.io/v1/namespaces/${lease.namespace}/leases`
export const leasePath = `${collection}/${lease.name}`

export function leaseOf(it: Foreign): RolloutRecord {
  const { resourceVersion, annotations } = metadataOf(it)
  const spec = objectOf(it['spec'])
  return present<RolloutRecord>({
    resourceVersion,
    holder: textOf(spec['holderIdentity']) || undefined,
    renewedAt: timeOf(spec['renewTime']),
    leaseSeconds: numberOf(spec['leaseDurationSeconds']),
    annotations,
  })
}

/** Creates without a version, else a merge patch that the server rejects if the version has changed. */
export function leaseRequest({ resourceVersion, annotations, ...change }: LeaseChange) {
  const spec = {
    ...(change.holder !== undefined && { holderIdentity: change.holder }),
    ...(change.renewedAt !== undefined && { renewTime: microTime(change.renewedAt) }),
    ...(change.leaseSeconds !== undefined && { leaseDurationSeconds: change.leaseSeconds }),
  }
  if (resourceVersion !== undefined)
    return {
      method: 'PATCH' as const,
      path: leasePath,
      body: { metadata: { resourceVersion, ...(annotations && { annotations }) }, spec },
    }
  return {
    method: 'POST' as const,
    path: collection,
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: lease.name, namespace: lease.namespace, annotations: withoutNulls(annotations ?? {}) },
      spec: withoutNulls(spec),
    },
  }
}

/** Leases have microseconds; the server rejects fewer digits. */
const microTime = (at: string): string => new Date(at).toISOString().replace(/\.(\d{3})Z$/, '.$1000Z')

const withoutNulls = (it: object): object =>
  Object.fromEntries(Object.entries(it).filter(([, value]) => value !== null))
