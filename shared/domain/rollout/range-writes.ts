import type { FelixObject } from '../cluster.ts'
import type { WriteCheck } from '../ports.ts'
import type { CalicoApi } from '../report.ts'
import { changedAtKey, changeKey, overrideKey, rangeAnnotation } from './annotations.ts'
import { changeMark } from './marks.ts'

/** The validated value to write: the annotation's text and, if Calico's API accepts it, the spec's items. */
export type RangeValue = Extract<WriteCheck, { ok: true }>
export type RangeText = Pick<RangeValue, 'annotation' | 'spec'>

/** A merge patch, or with `create` the whole object's metadata and spec. */
export interface ObjectPatch {
  metadata: { annotations: Record<string, string | null>; resourceVersion?: string; name?: string }
  spec?: Record<string, unknown>
}

const metadataCopy = 'projectcalico.org/metadata'

/**
 * Writes the range so that Felix uses it: the annotation (the only spelling that Felix honours), the spec for people
 * and later versions, and the JSON copy of the metadata that Calico stores on v1 objects and that takes precedence
 * over the annotation from 3.28.
 */
export const setRange = (object: FelixObject, value: RangeText, api: CalicoApi): ObjectPatch => ({
  metadata: {
    resourceVersion: object.resourceVersion,
    annotations: {
      ...dropped(otherSpellings(object)),
      [rangeAnnotation]: value.annotation,
      // Our earlier marks are removed from the copy: Calico's API would return them instead of those of this write.
      ...copied(object, api, (copy) => ({ ...withoutOurs(withoutRange(copy)), [rangeAnnotation]: value.annotation })),
    },
  },
  spec: { kubeNodePortRanges: value.spec ?? null },
})

/** Removes the range and our marks from an object that existed before; the spec is as it was before our write. */
export const unsetRange = (object: FelixObject, api: CalicoApi): ObjectPatch => ({
  metadata: {
    resourceVersion: object.resourceVersion,
    annotations: {
      ...dropped([...otherSpellings(object), rangeAnnotation, overrideKey, changedAtKey, changeKey]),
      ...copied(object, api, (copy) => withoutOurs(withoutRange(copy))),
    },
  },
  spec: { kubeNodePortRanges: changeMark(object)?.spec ?? null },
})

export const overrideName = (node: string): string => `node.${node}`
export const overrideOn = (objects: FelixObject[], node: string): FelixObject | undefined =>
  objects.find(({ name }) => name === overrideName(node))
export const defaultIn = (objects: FelixObject[]): FelixObject | undefined =>
  objects.find(({ name }) => name === 'default')
export const overriddenNode = ({ name }: Pick<FelixObject, 'name'>): string => name.slice('node.'.length)

/**
 * An override contains, besides the range, the effective value of every field that the server would set to a default.
 */
export const newOverride = (node: string, value: RangeValue, carried: ObjectPatch): ObjectPatch => ({
  metadata: {
    name: overrideName(node),
    annotations: { ...carried.metadata.annotations, [rangeAnnotation]: value.annotation, [overrideKey]: 'created' },
  },
  spec: { ...carried.spec, ...(value.spec && { kubeNodePortRanges: value.spec }) },
})

/**
 * The server's defaults in an override would hide the values of `default`: so an override must repeat `default`'s
 * values of those fields, and the annotations that take precedence over them.
 */
export const carriedFrom = (base: FelixObject | undefined, fields: readonly string[]): ObjectPatch => {
  const wanted = new Set(fields.map((field) => field.toLowerCase()))
  const annotations = Object.entries(base?.annotations ?? {}).filter(([key]) => wanted.has(parameterOf(key) ?? ''))
  const spec = Object.entries(base?.spec ?? {}).filter(([field]) => fields.includes(field))
  return { metadata: { annotations: Object.fromEntries(annotations) }, spec: Object.fromEntries(spec) }
}

/** The same for an object that existed before, for the fields that it does not set. */
export const keptFrom = (
  base: FelixObject | undefined,
  object: FelixObject,
  fields: readonly string[],
): ObjectPatch => {
  const said = new Set([...Object.keys(object.spec), ...Object.keys(object.annotations).map(parameterOf)])
  const silent = fields.filter((field) => !said.has(field) && !said.has(field.toLowerCase()))
  // The object remains after the rollout, so it must have its own values for the fields that depend on this one.
  return carriedFrom(
    base,
    silent.filter((field) => field !== 'bpfConnectTimeLoadBalancingEnabled'),
  )
}

const prefix = 'config.projectcalico.org/'
const parameterOf = (key: string): string | undefined =>
  key.startsWith(prefix) ? key.slice(prefix.length).toLowerCase() : undefined

const isRangeKey = (key: string): boolean => parameterOf(key) === 'kubenodeportranges'

const otherSpellings = (object: FelixObject): string[] =>
  Object.keys(object.annotations).filter((key) => isRangeKey(key) && key !== rangeAnnotation)

const dropped = (keys: readonly string[]): Record<string, null> => Object.fromEntries(keys.map((key) => [key, null]))

type Annotations = Record<string, string>

const withoutRange = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !isRangeKey(key)))

const isMark = (key: string): boolean => key === overrideKey || key === changedAtKey || key === changeKey

const withoutOurs = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).filter(([key]) => !isMark(key)))

/** The annotations inside the JSON copy, changed only if the copy already contains the range or our marks. */
const copied = (object: FelixObject, api: CalicoApi, change: (copy: Annotations) => Annotations): Annotations => {
  const text = object.annotations[metadataCopy]
  if (text === undefined || api === 'projectcalico.org/v3') return {}
  // Calico reads `null` as a copy without content.
  const metadata = JSON.parse(text) as { annotations?: Annotations } | null
  const keys = Object.keys(metadata?.annotations ?? {})
  if (!keys.some((key) => isRangeKey(key) || isMark(key))) return {}
  return { [metadataCopy]: JSON.stringify({ ...metadata, annotations: change(metadata?.annotations ?? {}) }) }
}
