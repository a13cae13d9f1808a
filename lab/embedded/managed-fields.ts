import { type FieldStyle, fieldsChanged, fieldsRemoved, ownable, union, without } from './field-sets.ts'
import type { Fields, KubeObject, ManagedFieldsEntry } from './object.ts'

/** Who writes, as managed fields record it. */
export interface Writer {
  manager: string
  operation: 'Update' | 'Apply'
  apiVersion: string
  time: string
  subresource?: string
}

/**
 * The entries after a plain write: what the writer changed or added becomes the writer's with the time of this write,
 * and nobody owns any longer what is gone. Server-side apply has rules of its own (`apply.ts`).
 */
export function trackUpdate(
  before: KubeObject | undefined,
  after: KubeObject,
  writer: Writer,
  custom: boolean,
): ManagedFieldsEntry[] {
  const style: FieldStyle = { custom, marks: true }
  const [old, fresh] = [before === undefined ? {} : ownable(before), ownable(after)]
  const changed = fieldsChanged(old, fresh, '', style)
  const removed = fieldsRemoved(old, fresh, '', style)
  const entries = before?.metadata.managedFields ?? []
  const own = entries.find((entry) => isSameWriter(entry, writer))
  const others = entries.filter((entry) => entry !== own).flatMap((entry) => strip(strip([entry], changed), removed))
  const kept = own === undefined ? [] : strip([own], removed)
  if (changed === undefined) return inOrder([...others, ...kept])
  const fields = union(kept[0]?.fieldsV1 ?? {}, changed)
  return inOrder([...others, entryOf(writer, fields)])
}

export function strip(entries: ManagedFieldsEntry[], taken: Fields | undefined): ManagedFieldsEntry[] {
  if (taken === undefined) return entries
  return entries.flatMap((entry) => {
    const fieldsV1 = without(entry.fieldsV1, taken)
    return fieldsV1 === undefined || isOnlyMark(fieldsV1) ? [] : [{ ...entry, fieldsV1 }]
  })
}

const isOnlyMark = (fields: Fields): boolean => Object.keys(fields).length === 0

export const isSameWriter = (entry: ManagedFieldsEntry, writer: Writer): boolean =>
  entry.manager === writer.manager && entry.operation === writer.operation && entry.subresource === writer.subresource

/** A map of which nothing but its own existence is owned is written as a leaf. */
export const collapsed = (fields: Fields): Fields => {
  const steps = Object.keys(fields)
  if (steps.length === 1 && steps[0] === '.') return {}
  return Object.fromEntries(Object.entries(fields).map(([step, below]) => [step, collapsed(below)]))
}

export const entryOf = (writer: Writer, fieldsV1: Fields): ManagedFieldsEntry => ({
  manager: writer.manager,
  operation: writer.operation,
  apiVersion: writer.apiVersion,
  time: writer.time,
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
})

/** Applied entries first, then by time, as the real server sorts them. */
export const inOrder = (entries: ManagedFieldsEntry[]): ManagedFieldsEntry[] =>
  entries
    .map((entry) => ({ ...entry, fieldsV1: collapsed(entry.fieldsV1) }))
    .toSorted((a, b) =>
      a.operation === b.operation
        ? compare(a.time, b.time) || compare(a.manager, b.manager)
        : compare(a.operation, b.operation),
    )

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
