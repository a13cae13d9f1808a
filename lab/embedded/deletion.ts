import type { Context, WriteOptions } from './context.ts'
import { type Fieldful, isRecord, type KubeObject, recordAt, textAt, timestamp } from './object.ts'
import type { Resource } from './resources.ts'
import { conflict, type Status } from './status.ts'
import { existing, subjectOf } from './writes.ts'

export interface Deletion {
  name: string
  namespace: string | undefined
  /** `DeleteOptions`, as far as they are given. */
  body: unknown
  options: WriteOptions
}

/** What DELETE answers: the object where it goes gracefully or always did, else a Status. */
export function deleteObject(context: Context, resource: Resource, deletion: Deletion): KubeObject | Status {
  const { name, namespace, body, options } = deletion
  const object = existing(context, resource, namespace === undefined ? { name } : { name, namespace })
  checkPreconditions(resource, object, recordAt(body, 'preconditions'))
  if (options.dryRun) return answersObject(resource) ? object : successOf(resource, object)
  if (isGraceful(resource, object, body)) {
    return object.metadata.deletionTimestamp === undefined ? markDeleted(context, resource, object) : object
  }
  const removed = removeNow(context, resource, object)
  return answersObject(resource) ? removed : successOf(resource, object)
}

function checkPreconditions(resource: Resource, object: KubeObject, preconditions: Fieldful): void {
  const subject = { group: resource.group, kind: resource.kind, name: object.metadata.name }
  const { uid, resourceVersion } = object.metadata
  const wantedUid = textAt(preconditions, 'uid')
  if (wantedUid !== undefined && wantedUid !== uid) {
    const mismatch = `the UID in the precondition (${wantedUid}) does not match the UID in record (${uid})`
    throw conflict(subject, `${mismatch}. The object might have been deleted and then recreated`)
  }
  const wantedVersion = textAt(preconditions, 'resourceVersion')
  if (wantedVersion !== undefined && wantedVersion !== resourceVersion) {
    const mismatch = `the ResourceVersion in the precondition (${wantedVersion}) does not match the ResourceVersion in record (${resourceVersion})`
    throw conflict(subject, `${mismatch}. The object might have been modified`)
  }
}

/** A pod on a node goes when its node says so; whatever has finalizers waits for them. */
function isGraceful(resource: Resource, object: KubeObject, body: unknown): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true
  const grace = isRecord(body) ? body['gracePeriodSeconds'] : undefined
  return resource.kind === 'Pod' && grace !== 0 && textAt(object, 'spec', 'nodeName') !== undefined
}

function markDeleted(context: Context, resource: Resource, object: KubeObject): KubeObject {
  const seconds = resource.kind === 'Pod' ? recordAt(object, 'spec')['terminationGracePeriodSeconds'] : 0
  const deletionGracePeriodSeconds = typeof seconds === 'number' ? seconds : 30
  const deletionTimestamp = timestamp(new Date(context.now().getTime() + deletionGracePeriodSeconds * 1000))
  const generation = resource.generation ? { generation: (object.metadata.generation ?? 0) + 1 } : {}
  const metadata = { ...object.metadata, ...generation, deletionTimestamp, deletionGracePeriodSeconds }
  return context.store.put(resource, { ...object, metadata })
}

/** Removes an object and, as garbage collector and namespace controller do, what it owns or holds. */
export function removeNow(context: Context, resource: Resource, object: KubeObject): KubeObject {
  const removed = context.store.remove(resource, object)
  if (resource.kind === 'CustomResourceDefinition') removeCustomResources(context, object)
  else if (resource.kind === 'Namespace')
    removeWhere(context, ({ metadata }) => metadata.namespace === object.metadata.name)
  else if (resource.kind !== 'Pod') removeWhere(context, (other) => isOwnedBy(other, object))
  return removed
}

const isOwnedBy = ({ metadata }: KubeObject, owner: KubeObject): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) === true

function removeWhere(context: Context, predicate: (object: KubeObject) => boolean): void {
  for (const resource of context.registry.all()) {
    const doomed = (context.store.list(resource) ?? []).filter(([, object]) => predicate(object))
    for (const [, object] of doomed) removeNow(context, resource, object)
  }
}

function removeCustomResources({ registry, store }: Context, definition: KubeObject): void {
  const group = textAt(definition, 'spec', 'group') ?? ''
  const plural = textAt(definition, 'spec', 'names', 'plural') ?? ''
  const resource = registry.all().find((known) => known.group === group && known.plural === plural)
  if (resource === undefined) return
  for (const [, object] of store.list(resource) ?? []) store.remove(resource, object)
  registry.remove(group, plural)
}

const answersObject = ({ kind }: Resource): boolean => ['Pod', 'Service', 'Namespace', 'ServiceAccount'].includes(kind)

const successOf = (resource: Resource, { metadata }: KubeObject): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: {
    name: metadata.name,
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: subjectOf(resource, metadata.name).kind,
    ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
  },
})
