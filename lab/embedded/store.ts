import type { KubeObject } from './object.ts'
import type { Resource } from './resources.ts'

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  revision: number
  object: KubeObject
  previous?: KubeObject
}

/**
 * What etcd is to the real server: objects by key, one revision counter for all of them, and enough history for watches
 * and for pages of one list to show one moment. Stored objects are never changed in place.
 */
export interface Store {
  revision(): number
  get(resource: Resource, key: string): KubeObject | undefined
  /** Sorted by key. `at`: as they stood at that revision; undefined where history no longer reaches back so far. */
  list(resource: Resource, at?: number): KeyedObject[] | undefined
  put(resource: Resource, object: KubeObject): KubeObject
  remove(resource: Resource, object: KubeObject): KubeObject
  /** Changes after a revision, undefined where history no longer reaches back so far. */
  since(resource: Resource, revision: number): Change[] | undefined
  subscribe(resource: Resource, listener: (change: Change) => void): () => void
  /** Forgets all history, as etcd's compaction does. */
  compact(): void
}

export type KeyedObject = readonly [key: string, object: KubeObject]

interface Collection {
  objects: Map<string, KubeObject>
  sorted: KeyedObject[] | undefined
  history: Change[]
  /** Nothing is known of changes up to this revision. */
  floor: number
  listeners: Set<(change: Change) => void>
}

const historyKept = 4096

export const keyOf = (object: KubeObject): string =>
  object.metadata.namespace === undefined
    ? object.metadata.name
    : `${object.metadata.namespace}/${object.metadata.name}`

export function createStore(): Store {
  const collections = new Map<string, Collection>()
  let revision = 1

  const collectionOf = ({ group, plural }: Resource): Collection => {
    const id = `${group}/${plural}`
    const known = collections.get(id)
    if (known !== undefined) return known
    const fresh = { objects: new Map(), sorted: undefined, history: [], floor: 0, listeners: new Set<never>() }
    collections.set(id, fresh)
    return fresh
  }

  const write = (resource: Resource, object: KubeObject, type: Change['type']): KubeObject => {
    const collection = collectionOf(resource)
    const key = keyOf(object)
    const previous = collection.objects.get(key)
    revision += 1
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } }
    if (type === 'DELETED') collection.objects.delete(key)
    else collection.objects.set(key, stored)
    record(collection, { type, revision, object: stored, ...(previous === undefined ? {} : { previous }) })
    return stored
  }

  return {
    revision: () => revision,
    get: (resource, key) => collectionOf(resource).objects.get(key),
    list: (resource, at) => listAt(collectionOf(resource), at ?? revision),
    put: (resource, object) =>
      write(resource, object, collectionOf(resource).objects.has(keyOf(object)) ? 'MODIFIED' : 'ADDED'),
    remove: (resource, object) => write(resource, object, 'DELETED'),
    since(resource, from) {
      const { history, floor } = collectionOf(resource)
      return from < floor ? undefined : history.filter((change) => change.revision > from)
    },
    subscribe(resource, listener) {
      const { listeners } = collectionOf(resource)
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    compact() {
      for (const collection of collections.values()) {
        collection.history = []
        collection.floor = revision
      }
    },
  }
}

function record(collection: Collection, change: Change): void {
  if (change.type !== 'MODIFIED') collection.sorted = undefined
  else if (collection.sorted !== undefined) replaceSorted(collection.sorted, change.object)
  collection.history.push(change)
  if (collection.history.length > historyKept * 2) {
    collection.floor = collection.history[historyKept - 1]?.revision ?? 0
    collection.history = collection.history.slice(historyKept)
  }
  for (const listener of collection.listeners) listener(change)
}

function replaceSorted(sorted: KeyedObject[], object: KubeObject): void {
  const key = keyOf(object)
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle]?.[0] ?? '') < key) low = middle + 1
    else high = middle
  }
  sorted[low] = [key, object]
}

function listAt(collection: Collection, at: number): KeyedObject[] | undefined {
  if (at < collection.floor) return undefined
  const newest = collection.history.at(-1)?.revision ?? 0
  if (newest <= at) return (collection.sorted ??= sortedEntries(collection.objects))
  const later = collection.history.filter((change) => change.revision > at)
  const objects = new Map(collection.objects)
  for (const change of later.toReversed()) {
    if (change.previous === undefined) objects.delete(keyOf(change.object))
    else objects.set(keyOf(change.object), change.previous)
  }
  return sortedEntries(objects)
}

const sortedEntries = (objects: Map<string, KubeObject>): KeyedObject[] =>
  [...objects].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
