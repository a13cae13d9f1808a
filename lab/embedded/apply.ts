import { isDeepStrictEqual } from 'node:util'
import { type FieldStyle, fieldsOf, has, leavesOf, ownable } from './field-sets.ts'
import { identityOf, keysOf } from './list-keys.ts'
import { entryOf, inOrder, isSameWriter, strip, type Writer } from './managed-fields.ts'
import { type Fieldful, type Fields, isRecord, type KubeObject, type ManagedFieldsEntry } from './object.ts'
import { ApiFailure } from './status.ts'

export interface Application {
  config: KubeObject
  writer: Writer
  force: boolean
  custom: boolean
}

/**
 * Server-side apply: the configuration's fields become the applier's; what it applied before and now leaves out goes,
 * unless another manager owns it too. A value of another manager is a conflict, or taken over with `force`.
 */
export function applyConfiguration(live: KubeObject | undefined, application: Application): KubeObject {
  const { config, writer, force, custom } = application
  const style: FieldStyle = { custom, marks: false }
  const applied = fieldsOf(ownable(config), '', style)
  const entries = live?.metadata.managedFields ?? []
  const own = entries.find((entry) => isSameWriter(entry, writer))
  const others = entries.filter((entry) => entry !== own)
  const conflicts = live === undefined ? [] : conflictsOf(live, config, { applied, others, custom })
  if (conflicts.length > 0 && !force) throw conflictFailure(conflicts)
  const dropped = own === undefined ? undefined : droppedFields(own.fieldsV1, applied, others)
  const base = live === undefined ? {} : dropped === undefined ? live : removeFields(live, dropped, custom)
  const { managedFields: _ignored, ...metadata } = { ...config.metadata }
  const merged = mergeApplied(base, { ...config, metadata }, '', custom) as KubeObject
  const taken = conflicts.length === 0 ? undefined : treeOf(conflicts.map(({ steps }) => steps))
  const managedFields = inOrder([...strip(others, taken), entryOf(writer, applied)])
  return { ...merged, metadata: { ...merged.metadata, managedFields } }
}

interface Conflict {
  entry: ManagedFieldsEntry
  steps: string[]
}

function conflictsOf(
  live: KubeObject,
  config: KubeObject,
  { applied, others, custom }: { applied: Fields; others: ManagedFieldsEntry[]; custom: boolean },
): Conflict[] {
  const differing = leavesOf(applied)
    .toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
    .filter((steps) => differs(valueAt(live, steps, custom), valueAt(config, steps, custom)))
  return others.flatMap((entry) =>
    differing.filter((steps) => has(entry.fieldsV1, steps)).map((steps) => ({ entry, steps })),
  )
}

/** Two maps never differ as such: only what is in them can. */
const differs = (a: unknown, b: unknown): boolean => !(isRecord(a) && isRecord(b)) && !isDeepStrictEqual(a, b)

function conflictFailure(conflicts: Conflict[]): ApiFailure {
  const causes = conflicts.map(({ entry, steps }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${describe(entry)}`,
    field: pathOf(steps),
  }))
  const [first] = causes
  const byManager = Map.groupBy(conflicts, ({ entry }) => describe(entry))
  const lines =
    causes.length === 1
      ? `conflict: ${first?.message}: ${first?.field}`
      : `conflicts: ${[...byManager].map(([who, all]) => `conflicts with ${who}:\n${all.map(({ steps }) => `- ${pathOf(steps)}`).join('\n')}`).join('\n')}`
  return new ApiFailure(409, 'Conflict', `Apply failed with ${causes.length} ${lines}`, { causes })
}

const describe = ({ manager, operation, apiVersion }: ManagedFieldsEntry): string =>
  operation === 'Apply' ? JSON.stringify(manager) : `${JSON.stringify(manager)} using ${apiVersion}`

const pathOf = (steps: readonly string[]): string =>
  steps.map((step) => (step.startsWith('f:') ? `.${step.slice(2)}` : `[${keysText(step.slice(2))}]`)).join('')

/** `name="x",protocol="TCP"` */
const keysText = (identity: string): string =>
  Object.entries(JSON.parse(identity) as Record<string, unknown>)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')

/** What the applier owned, applies no longer, and nobody else owns. */
function droppedFields(before: Fields, applied: Fields, others: ManagedFieldsEntry[]): Fields | undefined {
  const gone = leavesOf(before).filter(
    (steps) => steps.at(-1) !== '.' && !has(applied, steps) && !others.some(({ fieldsV1 }) => has(fieldsV1, steps)),
  )
  return gone.length === 0 ? undefined : treeOf(gone)
}

function treeOf(paths: readonly string[][]): Fields {
  const root: Fields = {}
  for (const steps of paths) {
    let current = root
    for (const step of steps) current = current[step] ??= {}
  }
  return root
}

function valueAt(value: unknown, steps: readonly string[], custom: boolean): unknown {
  let current = value
  let field = ''
  for (const step of steps) {
    if (step.startsWith('f:')) {
      field = step.slice(2)
      current = isRecord(current) ? current[field] : undefined
    } else current = itemOf(current, step, field, custom)
  }
  return current
}

function itemOf(list: unknown, step: string, field: string, custom: boolean): unknown {
  const keys = Array.isArray(list) && !custom ? keysOf(field, list) : undefined
  if (keys === undefined || !Array.isArray(list)) return undefined
  return (list as unknown[]).find((item) => `k:${identityOf(item, keys)}` === step)
}

function removeFields(value: KubeObject, fields: Fields, custom: boolean): KubeObject {
  return prune(value, fields, '', custom) as KubeObject
}

function prune(value: unknown, fields: Fields, field: string, custom: boolean): unknown {
  if (Array.isArray(value)) {
    const keys = custom ? undefined : keysOf(field, value)
    if (keys === undefined) return value
    return (value as unknown[]).flatMap((item) => pruneStep(item, fields[`k:${identityOf(item, keys)}`], '', custom))
  }
  if (!isRecord(value)) return value
  const kept = Object.entries(value).flatMap(([key, child]) =>
    pruneStep(child, fields[`f:${key}`], key, custom).map((left) => [key, left] as const),
  )
  return Object.fromEntries(kept)
}

const pruneStep = (child: unknown, fields: Fields | undefined, field: string, custom: boolean): unknown[] => {
  if (fields === undefined) return [child]
  return Object.keys(fields).length === 0 ? [] : [prune(child, fields, field, custom)]
}

function mergeApplied(live: unknown, config: unknown, field: string, custom: boolean): unknown {
  if (isRecord(config) && isRecord(live)) {
    const merged: Fieldful = { ...live }
    for (const [key, value] of Object.entries(config)) merged[key] = mergeApplied(merged[key], value, key, custom)
    return merged
  }
  const keys = Array.isArray(config) && !custom ? keysOf(field, config) : undefined
  if (keys === undefined || !Array.isArray(config) || !Array.isArray(live)) return config
  const merged = new Map((live as unknown[]).map((item) => [identityOf(item, keys), item]))
  for (const item of config as unknown[]) {
    const id = identityOf(item, keys)
    merged.set(id, mergeApplied(merged.get(id), item, '', custom))
  }
  return [...merged.values()]
}
