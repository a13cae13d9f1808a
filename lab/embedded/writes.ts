import { isDeepStrictEqual } from 'node:util'
import { admit, allocate } from './admission.ts'
import { applyConfiguration } from './apply.ts'
import { standInLabel } from './calico-definitions.ts'
import type { Context, WriteOptions } from './context.ts'
import { established, serveDefinition } from './crds.ts'
import { trackUpdate } from './managed-fields.ts'
import { newborn } from './newborn.ts'
import { type Fieldful, type KubeObject, type ObjectMeta, timestamp } from './object.ts'
import { groupVersionOf, type Resource } from './resources.ts'
import { alreadyExists, badRequest, invalid, invalidValue, modified, notFound } from './status.ts'
import { keyOf } from './store.ts'

export const subjectOf = ({ group, plural }: Resource, name: string) => ({ group, kind: plural, name })

const isNamespaceless = (context: Context, namespace: string): boolean => {
  const namespaces = context.registry.find('', 'v1', 'namespaces')
  return namespaces === undefined || context.store.get(namespaces, namespace) === undefined
}

/** POST. */
export function create(context: Context, resource: Resource, body: KubeObject, options: WriteOptions): KubeObject {
  const { namespace } = body.metadata
  if (namespace !== undefined && isNamespaceless(context, namespace)) {
    throw notFound({ group: '', kind: 'namespaces', name: namespace })
  }
  const fresh = newborn(context, resource, body)
  const admitted = admit(resource, { object: fresh, before: undefined, options })
  const present = context.store.get(resource, keyOf(admitted))
  if (present !== undefined && present.metadata.labels?.[standInLabel] === undefined) {
    throw alreadyExists(subjectOf(resource, admitted.metadata.name))
  }
  const tracked = tracking(context, resource, { before: undefined, after: admitted, options })
  const whole = allocate(context, resource, { object: tracked, before: undefined, options })
  return options.dryRun ? whole : commit(context, resource, whole)
}

/** PUT: the body replaces the object it names. */
export function replace(context: Context, resource: Resource, body: KubeObject, options: WriteOptions): KubeObject {
  const before = existing(context, resource, body.metadata)
  if (body.metadata.resourceVersion === undefined && resource.schema !== undefined) {
    const cause = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')
    throw invalid(subjectOf(resource, body.metadata.name), [cause])
  }
  return update(context, resource, { before, after: body, options })
}

export function existing(
  context: Context,
  resource: Resource,
  { name, namespace }: Pick<ObjectMeta, 'name' | 'namespace'>,
): KubeObject {
  const found = context.store.get(resource, namespace === undefined ? name : `${namespace}/${name}`)
  if (found === undefined) throw notFound(subjectOf(resource, name))
  return found
}

export interface Update {
  before: KubeObject
  after: KubeObject
  options: WriteOptions
}

/** Stores `after` in place of `before`, with every rule of an update. A write that changes nothing stores nothing. */
export function update(context: Context, resource: Resource, { before, after, options }: Update): KubeObject {
  checkIdentity(resource, before, after)
  const merged = withSubresource(resource, { before, after, options })
  const admitted = admit(resource, { object: merged, before, options })
  const counted = withGeneration(resource, before, admitted)
  if (isDeepStrictEqual(untracked(counted), untracked(before))) return before
  const tracked = tracking(context, resource, { before, after: counted, options })
  const whole = allocate(context, resource, { object: tracked, before, options })
  return options.dryRun ? withVersionOf(before, whole) : commit(context, resource, whole)
}

const withVersionOf = ({ metadata: { resourceVersion } }: KubeObject, object: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
})

/** Server-side apply: creates or updates. */
export function apply(
  context: Context,
  resource: Resource,
  { config, force, options }: { config: KubeObject; force: boolean; options: WriteOptions },
): { object: KubeObject; created: boolean } {
  const custom = resource.schema !== undefined
  const writer = { ...writerOf(context, resource, options), operation: 'Apply' as const }
  const live = context.store.get(resource, keyOf(config))
  const desired = { ...config, metadata: withoutServerMetadata(config.metadata) }
  const merged = applyConfiguration(live, { config: desired, writer, force, custom })
  const { managedFields = [] } = merged.metadata
  if (live === undefined) {
    const created = admit(resource, { object: newborn(context, resource, merged), before: undefined, options })
    const declared = { ...created, metadata: { ...created.metadata, managedFields } }
    const owned = allocate(context, resource, { object: declared, before: undefined, options })
    return { object: options.dryRun ? owned : commit(context, resource, owned), created: true }
  }
  const wholesome = withSubresource(resource, { before: live, after: merged, options })
  const admitted = withGeneration(resource, live, admit(resource, { object: wholesome, before: live, options }))
  if (isDeepStrictEqual(untracked(admitted), untracked(live)) && isSameOwnership(live, managedFields)) {
    return { object: live, created: false }
  }
  const declared = { ...admitted, metadata: { ...admitted.metadata, managedFields } }
  const owned = allocate(context, resource, { object: declared, before: live, options })
  return { object: options.dryRun ? owned : commit(context, resource, owned), created: false }
}

const isSameOwnership = (live: KubeObject, entries: ObjectMeta['managedFields']): boolean => {
  const timeless = (list: ObjectMeta['managedFields'] = []) => list.map(({ time: _time, ...entry }) => entry)
  return isDeepStrictEqual(timeless(live.metadata.managedFields), timeless(entries))
}

const withoutServerMetadata = ({
  uid: _uid,
  resourceVersion: _version,
  creationTimestamp: _time,
  ...rest
}: ObjectMeta): ObjectMeta => rest

function checkIdentity(resource: Resource, before: KubeObject, after: KubeObject): void {
  const { name, uid, resourceVersion } = after.metadata
  if (name !== before.metadata.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${before.metadata.name})`)
  }
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion) {
    throw modified(subjectOf(resource, name))
  }
  if (uid !== undefined && uid !== before.metadata.uid) {
    const cause = invalidValue('metadata.uid', uid, 'field is immutable')
    throw invalid({ group: resource.group, kind: resource.kind, name }, [cause, cause])
  }
}

/**
 * What only the server sets stays; `/status` changes the status alone, and the plain path never does where `/status`
 * exists.
 */
function withSubresource(resource: Resource, { before, after, options }: Update): KubeObject {
  if (options.subresource === 'status') return { ...before, status: after['status'] }
  const kept: Fieldful = { ...before.metadata }
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences']) delete kept[field]
  const { managedFields: _managed, ...given } = after.metadata
  const { managedFields: _own, ...identity } = kept
  const metadata = { ...given, ...identity } as ObjectMeta
  const hasStatus = resource.subresources.includes('status')
  if (!hasStatus) return { ...after, metadata }
  const { status: _status, ...rest } = after
  return { ...rest, ...(before['status'] === undefined ? {} : { status: before['status'] }), metadata }
}

function withGeneration(resource: Resource, before: KubeObject, after: KubeObject): KubeObject {
  if (!resource.generation || isDeepStrictEqual(specified(before), specified(after))) return after
  return { ...after, metadata: { ...after.metadata, generation: (before.metadata.generation ?? 0) + 1 } }
}

const specified = ({ metadata: _metadata, status: _status, ...rest }: KubeObject): Fieldful => rest

const untracked = (object: KubeObject): Fieldful => {
  const { managedFields: _managed, resourceVersion: _version, ...metadata } = object.metadata
  return { ...object, metadata }
}

const writerOf = (context: Context, resource: Resource, { manager, subresource }: WriteOptions) => ({
  manager,
  operation: 'Update' as const,
  apiVersion: groupVersionOf(resource),
  time: timestamp(context.now()),
  ...(subresource === undefined ? {} : { subresource }),
})

function tracking(
  context: Context,
  resource: Resource,
  { before, after, options }: Omit<Update, 'before'> & { before: KubeObject | undefined },
): KubeObject {
  const writer = writerOf(context, resource, options)
  const isStatusApart = resource.subresources.includes('status') && options.subresource !== 'status'
  const owned = (object: KubeObject): KubeObject => {
    const { status: _status, ...rest } = object
    return isStatusApart ? rest : object
  }
  const managedFields = trackUpdate(before && owned(before), owned(after), writer, resource.schema !== undefined)
  return { ...after, metadata: { ...after.metadata, managedFields } }
}

function commit(context: Context, resource: Resource, object: KubeObject): KubeObject {
  const { deletionTimestamp, finalizers = [] } = object.metadata
  // What was only waiting for its last finalizer goes with it; pods go when their kubelet says so.
  if (deletionTimestamp !== undefined && finalizers.length === 0 && resource.kind !== 'Pod') {
    return context.store.remove(resource, object)
  }
  const isDefinition = resource.plural === 'customresourcedefinitions'
  const stored = context.store.put(resource, isDefinition ? established(object, context.now()) : object)
  if (isDefinition) serveDefinition(context.registry, stored)
  return stored
}
