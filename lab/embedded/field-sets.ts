import { isDeepStrictEqual } from 'node:util'
import { identityOf, keysOf } from './list-keys.ts'
import { type Fieldful, type Fields, isRecord, type KubeObject } from './object.ts'

/** How the fields of a kind are told apart. */
export interface FieldStyle {
  /** Lists of custom resources are owned whole, and every map of theirs marks its own existence. */
  custom: boolean
  /** Server-side apply records no `.` marks. */
  marks: boolean
}

/** Metadata that no field manager owns. */
const unowned = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
])
const maps = new Set([
  'labels',
  'annotations',
  'data',
  'binaryData',
  'matchLabels',
  'limits',
  'requests',
  'capacity',
  'allocatable',
])
const atomicMaps = new Set(['selector', 'nodeSelector'])

/** An object reduced to what field managers can own: neither type, identity nor what the server keeps itself. */
export function ownable({ apiVersion: _version, kind: _kind, metadata, ...rest }: KubeObject): Fieldful {
  const owned = Object.entries(metadata).filter(([key, value]) => !unowned.has(key) && value !== undefined)
  return { ...rest, ...(owned.length === 0 ? {} : { metadata: Object.fromEntries(owned) }) }
}

export function fieldsOf(value: unknown, field: string, style: FieldStyle): Fields {
  if (isRecord(value) && !atomicMaps.has(field)) {
    const children = Object.entries(value)
      .filter(([, child]) => child !== undefined)
      .map(([key, child]) => [`f:${key}`, fieldsOf(child, key, style)] as const)
    return children.length === 0 ? {} : { ...markOf(field, style), ...Object.fromEntries(children) }
  }
  const keys = Array.isArray(value) && !style.custom ? keysOf(field, value) : undefined
  if (keys === undefined || !Array.isArray(value) || value.length === 0) return {}
  const items = (value as unknown[]).map((item) => {
    const mark = style.marks ? { '.': {} } : {}
    return [`k:${identityOf(item, keys)}`, { ...mark, ...fieldsOf(item, '', style) }] as const
  })
  return { ...(style.marks ? { '.': {} } : {}), ...Object.fromEntries(items) }
}

const markOf = (field: string, { custom, marks }: FieldStyle): Fields =>
  marks && (maps.has(field) || (custom && field !== '' && field !== 'metadata')) ? { '.': {} } : {}

/** Fields of `after` that `before` lacks or holds with another value. */
export function fieldsChanged(before: unknown, after: unknown, field: string, style: FieldStyle): Fields | undefined {
  if (before === undefined) return fieldsOf(after, field, style)
  if (isDeepStrictEqual(before, after)) return undefined
  const [old, fresh] = [stepsOf(before, field, style), stepsOf(after, field, style)]
  if (old === undefined || fresh === undefined) return fieldsOf(after, field, style)
  const changed: Fields = {}
  for (const [step, { value, field: below }] of fresh) {
    const difference = fieldsChanged(old.get(step)?.value, value, below, style)
    if (difference !== undefined) changed[step] = difference
  }
  return Object.keys(changed).length === 0 ? undefined : changed
}

/** Fields of `before` that are gone in `after`. */
export function fieldsRemoved(before: unknown, after: unknown, field: string, style: FieldStyle): Fields | undefined {
  if (before === undefined || isDeepStrictEqual(before, after)) return undefined
  if (after === undefined) return fieldsOf(before, field, style)
  const [old, fresh] = [stepsOf(before, field, style), stepsOf(after, field, style)]
  if (old === undefined || fresh === undefined) return undefined
  const removed: Fields = {}
  for (const [step, { value, field: below }] of old) {
    const difference = fieldsRemoved(value, fresh.get(step)?.value, below, style)
    if (difference !== undefined) removed[step] = difference
  }
  return Object.keys(removed).length === 0 ? undefined : removed
}

type Steps = Map<string, { value: unknown; field: string }>

/** One level of a value by FieldsV1 steps; undefined where it is owned whole. */
function stepsOf(value: unknown, field: string, style: FieldStyle): Steps | undefined {
  if (isRecord(value) && !atomicMaps.has(field)) {
    const present = Object.entries(value).filter(([, child]) => child !== undefined)
    return new Map(present.map(([key, child]) => [`f:${key}`, { value: child, field: key }]))
  }
  const keys = Array.isArray(value) && !style.custom ? keysOf(field, value) : undefined
  if (keys === undefined || !Array.isArray(value)) return undefined
  return new Map((value as unknown[]).map((item) => [`k:${identityOf(item, keys)}`, { value: item, field: '' }]))
}

const isLeaf = (fields: Fields): boolean => Object.keys(fields).length === 0

export function union(a: Fields, b: Fields): Fields {
  const merged: Fields = { ...a }
  for (const [step, below] of Object.entries(b)) merged[step] = union(merged[step] ?? {}, below)
  return merged
}

/** `a` without the leaves of `b` and what hangs below them; undefined where nothing is left. */
export function without(a: Fields, b: Fields): Fields | undefined {
  const left: Fields = {}
  for (const [step, below] of Object.entries(a)) {
    const taken = b[step]
    if (taken === undefined) left[step] = below
    else if (!isLeaf(taken) && isLeaf(below)) left[step] = below
    else if (!isLeaf(taken)) {
      const rest = without(below, taken)
      if (rest !== undefined) left[step] = rest
    }
  }
  return isLeaf(left) ? undefined : left
}

/** Every leaf as its steps. */
export function leavesOf(fields: Fields, steps: readonly string[] = []): string[][] {
  return Object.entries(fields).flatMap(([step, below]) =>
    isLeaf(below) ? [[...steps, step]] : leavesOf(below, [...steps, step]),
  )
}

export const has = (fields: Fields, steps: readonly string[]): boolean => {
  let current: Fields | undefined = fields
  for (const step of steps) current = current?.[step]
  return current !== undefined
}
