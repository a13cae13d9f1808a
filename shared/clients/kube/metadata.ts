import type { ManagedFields } from '../../domain/cluster.ts'
import { exactTextMapOf, type Foreign, objectOf, objectsOf, present, textMapOf, textOf, timeOf } from '../foreign.ts'

export interface Metadata {
  name: string
  namespace: string
  uid: string
  resourceVersion: string
  createdAt: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

export function metadataOf(object: Foreign): Metadata {
  const metadata = objectOf(object['metadata'])
  const text = (key: string) => textOf(metadata[key]) ?? ''
  return {
    name: text('name'),
    namespace: text('namespace'),
    uid: text('uid'),
    resourceVersion: text('resourceVersion'),
    createdAt: timeOf(metadata['creationTimestamp']) ?? '',
    labels: textMapOf(metadata['labels']),
    annotations: withoutManifest(exactTextMapOf(metadata['annotations'])),
  }
}

/**
 * `kubectl apply` stores the whole manifest in an annotation, with all variables of all containers, possibly with
 * secrets.
 */
function withoutManifest(annotations: Record<string, string>): Record<string, string> {
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...others } = annotations
  return others
}

export function managedFieldsOf(object: Foreign): ManagedFields[] {
  return objectsOf(objectOf(object['metadata'])['managedFields']).map((entry) =>
    present<ManagedFields>({
      manager: textOf(entry['manager']) ?? '',
      operation: textOf(entry['operation']) ?? '',
      time: timeOf(entry['time']),
      fields: objectOf(entry['fieldsV1']),
    }),
  )
}

/** A condition of a status: whether it holds and since when. */
export function conditionOf(object: Foreign, type: string): { holds: boolean; since?: string } {
  const condition = objectsOf(objectOf(object['status'])['conditions']).find((it) => it['type'] === type) ?? {}
  return present<{ holds: boolean; since?: string }>({
    holds: condition['status'] === 'True',
    since: timeOf(condition['lastTransitionTime']),
  })
}
