import type { WriteOptions } from '../../clients/kube/client.ts'
import type { FelixObject } from '../../domain/cluster.ts'
import { newDefault, rangeValue } from '../../domain/plan/plan.ts'
import {
  carriedFrom,
  defaultIn,
  keptFrom,
  newOverride,
  overrideOn,
  setRange,
  unsetRange,
  type ObjectPatch,
} from '../../domain/rollout/range-writes.ts'
import { traces } from '../../domain/rollout/journal.ts'
import { changeMark, type ChangeMark, formerIn, isOurs, sealOf, specItemsOf } from '../../domain/rollout/marks.ts'
import { changedAtKey, changeKey, overrideKey, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import type { StepTools } from './tools.ts'

/** `noted`: when the write was first noted, if an attempt was interrupted. `atOnce`: nodes get the range from this write. */
type Tools = Pick<StepTools, 'kube' | 'now' | 'holder' | 'record'> & { noted?: string | undefined; atOnce?: boolean }

/** The write for one node: creates our override, or adds the range to an existing object. */
export const writeOverride = async (
  tools: Tools,
  rollout: Rollout,
  /** `from`: the effective value on the node before. */
  on: { node: string; objects: FelixObject[]; from?: string | undefined },
  options?: WriteOptions,
): Promise<void> => {
  const { api, spec } = rollout.where
  const value = rangeValue(rollout.target ?? '', spec)
  const object = overrideOn(on.objects, on.node)
  const base = defaultIn(on.objects)
  if (object) {
    const change = withKept(setRange(object, value, api), keptFrom(base, object, rollout.defaulted))
    await patch(tools, rollout, { object, change: sealed(tools, rollout, { object, change }) }, options)
    return
  }
  const change = newOverride(on.node, value, carriedFrom(base, rollout.defaulted))
  await create(tools, rollout, sealed(tools, rollout, { change, from: on.from }), options)
}

/** Promotion: where every node in scope already has the value, this restarts nothing. */
export const writeDefault = async (
  tools: Tools,
  rollout: Rollout,
  objects: FelixObject[],
  options?: WriteOptions,
): Promise<void> => {
  const value = rangeValue(rollout.target ?? '', rollout.where.spec)
  const base = defaultIn(objects)
  const spec = rollout.where.spec && specItemsOf(base?.spec['kubeNodePortRanges'])
  const { at, mark } = stamp(tools, rollout, base && rangeOf(base))
  const marks = stamps({ at, mark: { ...mark, ...(spec && { spec }) } })
  if (base) {
    const change = marked(setRange(base, value, rollout.where.api), marks)
    await patch(tools, rollout, { object: base, change }, options)
  } else await create(tools, rollout, marked(newDefault(value), marks), options)
}

/**
 * Restores `default` as it was before this rollout and removes our marks. `former` absent: it did not set the range.
 */
export const writeFormer = async (
  tools: Tools,
  rollout: Rollout,
  { object, former }: { object: FelixObject; former?: string | undefined },
): Promise<void> => {
  const { api, spec } = rollout.where
  const unmarked = { [changedAtKey]: null, [changeKey]: null }
  const change = unsetRange(object, api)
  if (former !== undefined) change.metadata = marked(setRange(object, rangeValue(former, spec), api), unmarked).metadata
  await patch(tools, rollout, { object, change })
}

/** Removes the range from our override and records the time; the object is deleted when its node has stayed well. */
export const withdrawOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<void> => {
  if (!isOurs(object)) return
  const change = unsetRange(object, rollout.where.api)
  await patch(tools, rollout, {
    object,
    change: sealed(tools, { ...rollout, why: whyWithdrawn(rollout) }, { object, change }),
  })
}

/**
 * Deletes an object that we created; removes only our additions from an object that existed before, or that finalizers keep
 * after its deletion, because Felix reads it until they are gone. `false`: it is not ours and is kept.
 */
export const removeOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<boolean> => {
  const { api } = rollout.where
  if (!isOurs(object)) return false
  if (object.annotations[overrideKey] === 'created' && object.deletedAt === undefined)
    await tools.kube.deleteFelix(api, object)
  else await patch(tools, rollout, { object, change: unsetRange(object, api) })
  return true
}

export const whyWithdrawn = ({ state }: Rollout): string =>
  state === 'aborting' ? 'the rollout is aborted' : reasonGone

export const reasonGone = 'its reason no longer exists'

const rangeOf = ({ annotations }: FelixObject): string | undefined => annotations[rangeAnnotation]

/**
 * Recorded in the write itself: time, writer, rollout, reason and former value. So a crash cannot separate them from
 * the write.
 */
const stamp = (
  { now, holder: by, noted, atOnce }: Tools,
  { id, why, where: { known } }: Rollout,
  from: string | undefined,
): { at: string; mark: ChangeMark } => {
  const about = {
    ...(from !== undefined && { from: formerIn(from) }),
    ...(why !== undefined && { why }),
    ...(known && { known }),
    ...(noted && { noted }),
    ...(atOnce && { atOnce }),
  }
  return { at: now().toISOString(), mark: { by, rollout: id, ...about } }
}

const stamps = ({ at, mark }: ReturnType<typeof stamp>): Record<string, string> => ({
  [changedAtKey]: at,
  [changeKey]: JSON.stringify(mark),
})

/** The change with our marks, and a seal over the resulting override. */
const sealed = (
  tools: Tools,
  rollout: Rollout,
  { object, change, from }: { object?: FelixObject; change: ObjectPatch; from?: string | undefined },
): ObjectPatch => {
  const { at, mark } = stamp(tools, rollout, object ? rangeOf(object) : from)
  const made = object && !(isOurs(object) && object.annotations[overrideKey] === 'created') ? 'added' : 'created'
  const before = object && changeMark(object)
  const filled = [...new Set([...rollout.defaulted, ...(before?.filled ?? [])])].toSorted()
  const draft = marked(change, { [overrideKey]: made, [changedAtKey]: at })
  const written = {
    name: object?.name ?? change.metadata.name ?? '',
    annotations: merged(object?.annotations ?? {}, draft.metadata.annotations) as Record<string, string>,
    spec: merged(object?.spec ?? {}, draft.spec ?? {}),
  }
  const whole = { ...mark, ...(made === 'created' && filled.length > 0 && { filled }) }
  return marked(draft, { [changeKey]: JSON.stringify({ ...whole, seal: sealOf(written, whole) }) })
}

const merged = (base: object, patch: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ ...base, ...patch }).filter(([, value]) => value !== null))

const withKept = ({ metadata, spec }: ObjectPatch, kept: ObjectPatch): ObjectPatch => ({
  metadata: { ...metadata, annotations: { ...kept.metadata.annotations, ...metadata.annotations } },
  spec: { ...kept.spec, ...spec },
})

const marked = (change: ObjectPatch, annotations: Record<string, string | null>): ObjectPatch => ({
  ...change,
  metadata: { ...change.metadata, annotations: { ...change.metadata.annotations, ...annotations } },
})

const patch = async (
  { kube, record }: Tools,
  { where }: Rollout,
  { object, change }: { object: FelixObject; change: ObjectPatch },
  options?: WriteOptions,
) => {
  const { name, resourceVersion } = object
  const { annotations } = change.metadata
  const draft = { name, resourceVersion, metadata: { annotations }, ...(change.spec && { spec: change.spec }) }
  const written = await (options ? kube.patchFelix(where.api, draft, options) : kube.patchFelix(where.api, draft))
  if (!options?.dryRun) await record?.(traces([written]))
}

const create = async (
  { kube, record }: Tools,
  { where }: Rollout,
  { metadata, spec = {} }: ObjectPatch,
  options?: WriteOptions,
) => {
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations).filter((entry): entry is [string, string] => entry[1] !== null),
  )
  const draft = { name: metadata.name ?? 'default', annotations, spec }
  const written = await (options ? kube.createFelix(where.api, draft, options) : kube.createFelix(where.api, draft))
  if (!options?.dryRun) await record?.(traces([written]))
}
