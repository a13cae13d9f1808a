import type { WriteOptions } from '../clients/kube-client.ts'
import type { FelixObject } from '../domain/cluster.ts'
import { newDefault, rangeValue } from '../domain/plan.ts'
import {
  carriedFrom,
  keptFrom,
  newOverride,
  overrideName,
  setRange,
  unsetRange,
  type ObjectPatch,
} from '../domain/rollout/range-writes.ts'
import type { ChangeMark } from '../domain/rollout/journal.ts'
import { changedAtKey, changeKey, overrideKey, rangeAnnotation } from '../domain/rollout/annotations.ts'
import type { Rollout } from '../domain/rollout.ts'
import type { StepTools } from './rollout-step.ts'

type Tools = Pick<StepTools, 'kube' | 'now' | 'holder'>

/** The one write on a node: creates our override, or adds the range to an object that is there already. */
export const writeOverride = async (
  tools: Tools,
  rollout: Rollout,
  /** `from`: what counted on the node before. */
  on: { node: string; objects: FelixObject[]; from?: string | undefined },
  options?: WriteOptions,
): Promise<void> => {
  const { api, spec } = rollout.where
  const value = rangeValue(rollout.target ?? '', spec)
  const object = on.objects.find(({ name }) => name === overrideName(on.node))
  const base = on.objects.find(({ name }) => name === 'default')
  if (object) {
    const made = object.annotations[overrideKey] ?? 'added'
    const marks = { [overrideKey]: made, ...stamp(tools, rollout, rangeOf(object)) }
    const change = withKept(setRange(object, value, api), keptFrom(base, object, rollout.defaulted))
    await patch(tools, rollout, { object, change: marked(change, marks) }, options)
    return
  }
  const draft = newOverride(on.node, value, carriedFrom(base, rollout.defaulted))
  await create(tools, rollout, marked(draft, stamp(tools, rollout, on.from)), options)
}

/** Promotion: by now every node in scope has the value already, so that this restarts nothing. */
export const writeDefault = async (
  tools: Tools,
  rollout: Rollout,
  objects: FelixObject[],
  options?: WriteOptions,
): Promise<void> => {
  const value = rangeValue(rollout.target ?? '', rollout.where.spec)
  const base = objects.find(({ name }) => name === 'default')
  const marks = stamp(tools, rollout, base && rangeOf(base))
  if (base) {
    const change = marked(setRange(base, value, rollout.where.api), marks)
    await patch(tools, rollout, { object: base, change }, options)
  } else await create(tools, rollout, marked(newDefault(value), marks), options)
}

/** Takes the range off an override of ours and notes when; the object goes when its node has stayed well without. */
export const withdrawOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<void> => {
  const made = object.annotations[overrideKey] ?? 'added'
  const marks = { [overrideKey]: made, ...stamp(tools, { ...rollout, why: aborted }, rangeOf(object)) }
  const change = marked(unsetRange(object, rollout.where.api), marks)
  await patch(tools, rollout, { object, change })
}

/** Deletes what we created; from what was there before us takes only what we added. */
export const removeOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<void> => {
  const { api } = rollout.where
  const made = object.annotations[overrideKey]
  if (made === 'created') await tools.kube.deleteFelix(api, object)
  else if (made !== undefined) await patch(tools, rollout, { object, change: unsetRange(object, api) })
}

export const aborted = 'the rollout is aborted'

const rangeOf = ({ annotations }: FelixObject): string | undefined => annotations[rangeAnnotation]

/** In the write itself: when, by whom, in which rollout, why, and what stood there. Nothing can come between a write and these. */
const stamp = (
  { now, holder: by }: Tools,
  { id, why, where: { known } }: Rollout,
  from: string | undefined,
): Record<string, string> => {
  const about = { ...(from !== undefined && { from }), ...(why !== undefined && { why }), ...(known && { known }) }
  const mark: ChangeMark = { by, rollout: id, ...about }
  return { [changedAtKey]: now().toISOString(), [changeKey]: JSON.stringify(mark) }
}

const withKept = ({ metadata, spec }: ObjectPatch, kept: ObjectPatch): ObjectPatch => ({
  metadata: { ...metadata, annotations: { ...kept.metadata.annotations, ...metadata.annotations } },
  spec: { ...kept.spec, ...spec },
})

const marked = (change: ObjectPatch, annotations: Record<string, string>): ObjectPatch => ({
  ...change,
  metadata: { ...change.metadata, annotations: { ...change.metadata.annotations, ...annotations } },
})

const patch = async (
  { kube }: Tools,
  { where }: Rollout,
  { object, change }: { object: FelixObject; change: ObjectPatch },
  options?: WriteOptions,
) => {
  const { name, resourceVersion } = object
  const { annotations } = change.metadata
  const draft = { name, resourceVersion, metadata: { annotations }, ...(change.spec && { spec: change.spec }) }
  await (options ? kube.patchFelix(where.api, draft, options) : kube.patchFelix(where.api, draft))
}

const create = async (
  { kube }: Tools,
  { where }: Rollout,
  { metadata, spec = {} }: ObjectPatch,
  options?: WriteOptions,
) => {
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations).filter((entry): entry is [string, string] => entry[1] !== null),
  )
  const draft = { name: metadata.name ?? 'default', annotations, spec }
  await (options ? kube.createFelix(where.api, draft, options) : kube.createFelix(where.api, draft))
}
