/**
 * The parts of a Kubernetes object that the server itself reads or writes; everything else passes through untouched.
 */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export interface ObjectMeta {
  name: string
  namespace?: string
  generateName?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  managedFields?: ManagedFieldsEntry[]
  [field: string]: unknown
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager: string
  operation: 'Update' | 'Apply'
  apiVersion: string
  /** RFC 3339, whole seconds. */
  time: string
  fieldsType: 'FieldsV1'
  fieldsV1: Fields
  subresource?: string
}

/** A FieldsV1 tree: `f:name`, `k:{…}` and `.` as keys, an empty tree as leaf. */
export interface Fields {
  [step: string]: Fields
}

export type Fieldful = Record<string, unknown>

export const isRecord = (value: unknown): value is Fieldful =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The record at a path of keys, or an empty one where any step is missing or no record. */
export function recordAt(value: unknown, ...path: string[]): Fieldful {
  let current = value
  for (const key of path) current = isRecord(current) ? current[key] : undefined
  return isRecord(current) ? current : {}
}

export function listAt(value: unknown, ...path: string[]): unknown[] {
  const last = path.at(-1)
  const found = last === undefined ? value : recordAt(value, ...path.slice(0, -1))[last]
  return Array.isArray(found) ? found : []
}

export function textAt(value: unknown, ...path: string[]): string | undefined {
  const last = path.at(-1) ?? ''
  const found = recordAt(value, ...path.slice(0, -1))[last]
  return typeof found === 'string' ? found : undefined
}

/** Kubernetes stores times in whole seconds. */
export const timestamp = (now: Date): string => `${now.toISOString().slice(0, 19)}Z`
