import type { LeaseChange } from '../../../shared/clients/kube/client.ts'
import { KubeError } from '../../../shared/errors.ts'
import type { Cluster, Watch, Writer } from './cluster.ts'
import type { Stage } from './stage.ts'

export const conflict = (): KubeError =>
  new KubeError('conflict', 'the object has been modified', { status: 409, reason: 'Conflict' })

/** There is no object of the name to be changed. */
export const notFound = (): KubeError => new KubeError('not-found', 'not found', { status: 404, reason: 'NotFound' })

/** A merge patch: `null` removes a key. */
export const merged = (base: Record<string, unknown>, patch: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...base, ...patch }).filter(([, value]) => value !== null))

export const putLease = (
  stage: Stage,
  watch: Watch,
  { cluster, writer, change }: { cluster: Cluster; writer: Writer; change: LeaseChange },
) => {
  const { lease: before } = cluster
  // Without a version it is created.
  if (!before && change.resourceVersion !== undefined) throw notFound()
  if (before?.resourceVersion !== change.resourceVersion) throw conflict()
  const { holder: old, ...rest } = before ?? { annotations: {} }
  const holder = change.holder === undefined ? old : change.holder
  cluster.versions += 1
  const after = {
    ...rest,
    resourceVersion: `${cluster.versions}`,
    annotations: merged(rest.annotations, change.annotations) as Record<string, string>,
    ...(holder && { holder }),
    ...(change.renewedAt && { renewedAt: change.renewedAt }),
    ...(change.leaseSeconds && { leaseSeconds: change.leaseSeconds }),
  }
  cluster.lease = after
  const said = (it: typeof before) => `${it?.annotations['calico-ipvs-sync/state'] ?? '-'} (${it?.holder ?? 'nobody'})`
  if (said(before) !== said(after))
    stage.note(writer.name, `${cluster.ref.name}: Lease ${said(before)} -> ${said(after)}`)
  watch.leased(cluster, writer, before)
  return after
}
