import { identityOf, keysOf } from './list-keys.ts'
import { type Fieldful, isRecord } from './object.ts'

/**
 * Strategic merge as far as kubectl's own commands use it on the built-in kinds: maps merge, keyed lists merge by item,
 * `$patch: delete|replace`, `$retainKeys`, `$deleteFromPrimitiveList/…`; `$setElementOrder/…` only orders and is left
 * out.
 */
export function strategicMerge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const { $patch: directive, $retainKeys: retained, ...changes } = patch
  if (directive === 'replace') return changes
  const base: Fieldful = isRecord(target) ? { ...target } : {}
  const result = Array.isArray(retained) ? keep(base, retained) : base
  for (const [key, value] of Object.entries(changes)) mergeField(result, key, value)
  return result
}

function mergeField(result: Fieldful, key: string, value: unknown): void {
  if (key.startsWith('$setElementOrder/')) return
  if (key.startsWith('$deleteFromPrimitiveList/')) {
    const field = key.slice(key.indexOf('/') + 1)
    const doomed = Array.isArray(value) ? value : []
    const current = result[field]
    if (Array.isArray(current)) result[field] = current.filter((item) => !doomed.includes(item))
  } else if (value === null) delete result[key]
  else if (Array.isArray(value)) result[key] = mergeList(key, result[key], value)
  else result[key] = strategicMerge(result[key], value)
}

function mergeList(field: string, current: unknown, patch: unknown[]): unknown[] {
  const replace = patch.some((item) => isRecord(item) && item['$patch'] === 'replace')
  const items = patch.filter((item) => !(isRecord(item) && item['$patch'] === 'replace'))
  const keys = keysOf(field, items)
  if (field === 'finalizers' && Array.isArray(current)) return [...new Set([...(current as unknown[]), ...items])]
  if (replace || keys === undefined || !Array.isArray(current))
    return items.map((item) => strategicMerge(undefined, item))
  const merged = new Map((current as unknown[]).map((item) => [identityOf(item, keys), item]))
  for (const item of items) {
    const id = identityOf(item, keys)
    if (isRecord(item) && item['$patch'] === 'delete') merged.delete(id)
    else merged.set(id, strategicMerge(merged.get(id), item))
  }
  return [...merged.values()]
}

const keep = (record: Fieldful, keys: readonly unknown[]): Fieldful =>
  Object.fromEntries(Object.entries(record).filter(([key]) => keys.includes(key)))
