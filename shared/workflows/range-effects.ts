import type { FelixObject } from '../domain/cluster.ts'
import { newDefault, rangeValue } from '../domain/plan.ts'
import {
  carriedFrom,
  newOverride,
  overrideName,
  setRange,
  unsetRange,
  type ObjectPatch,
} from '../domain/range-writes.ts'
import { changedAtKey, overrideKey } from '../domain/rollout-annotations.ts'
import type { Rollout } from '../domain/rollout.ts'
import type { StepTools } from './rollout-step.ts'

type Tools = Pick<StepTools, 'kube' | 'now'>

/** The one write on a node: creates our override, or adds the range to an object that is there already. */
export const writeOverride = async (
  tools: Tools,
  rollout: Rollout,
  on: { node: string; objects: FelixObject[] },
): Promise<void> => {
  const { api } = rollout.where
  const value = rangeValue(rollout.target ?? '')
  const object = on.objects.find(({ name }) => name === overrideName(on.node))
  if (object) {
    const made = object.annotations[overrideKey] ?? 'added'
    await patch(tools, rollout, {
      object,
      change: marked(setRange(object, value, api), { [overrideKey]: made, [changedAtKey]: at(tools) }),
    })
    return
  }
  const base = on.objects.find(({ name }) => name === 'default')
  const draft = newOverride(on.node, value, carriedFrom(base, rollout.defaulted))
  await create(tools, rollout, marked(draft, { [changedAtKey]: at(tools) }))
}

/** Promotion: by now every node in scope has the value already, so that this restarts nothing. */
export const writeDefault = async (tools: Tools, rollout: Rollout, objects: FelixObject[]): Promise<void> => {
  const value = rangeValue(rollout.target ?? '')
  const base = objects.find(({ name }) => name === 'default')
  const stamp = { [changedAtKey]: at(tools) }
  if (base)
    await patch(tools, rollout, { object: base, change: marked(setRange(base, value, rollout.where.api), stamp) })
  else await create(tools, rollout, marked(newDefault(value), stamp))
}

/** Takes the range off an override of ours and notes when; the object goes when its node has stayed well without. */
export const withdrawOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<void> => {
  const made = object.annotations[overrideKey] ?? 'added'
  const change = marked(unsetRange(object, rollout.where.api), { [overrideKey]: made, [changedAtKey]: at(tools) })
  await patch(tools, rollout, { object, change })
}

/** Deletes what we created; from what was there before us takes only what we added. */
export const removeOverride = async (tools: Tools, rollout: Rollout, object: FelixObject): Promise<void> => {
  const { api } = rollout.where
  const made = object.annotations[overrideKey]
  if (made === 'created') await tools.kube.deleteFelix(api, object)
  else if (made !== undefined) await patch(tools, rollout, { object, change: unsetRange(object, api) })
}

const at = ({ now }: Tools): string => now().toISOString()

const marked = (change: ObjectPatch, annotations: Record<string, string>): ObjectPatch => ({
  ...change,
  metadata: { ...change.metadata, annotations: { ...change.metadata.annotations, ...annotations } },
})

const patch = async (
  { kube }: Tools,
  { where }: Rollout,
  { object, change }: { object: FelixObject; change: ObjectPatch },
) => {
  const { name, resourceVersion } = object
  const { annotations } = change.metadata
  await kube.patchFelix(where.api, {
    name,
    resourceVersion,
    metadata: { annotations },
    ...(change.spec && { spec: change.spec }),
  })
}

const create = async ({ kube }: Tools, { where }: Rollout, { metadata, spec = {} }: ObjectPatch) => {
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations).filter((entry): entry is [string, string] => entry[1] !== null),
  )
  await kube.createFelix(where.api, { name: metadata.name ?? 'default', annotations, spec })
}
