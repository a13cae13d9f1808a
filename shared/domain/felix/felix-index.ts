import { goLower } from './go.ts'
import { type FelixNode, type FelixSource, indexForVersion, type VersionIndex } from './lookup.ts'
import { mergeVersions } from './merge.ts'
import { compileGo } from './regex.ts'
import { type Layer, objectName, objectOf } from './layer.ts'
import type { DerivedValues, FelixResolution, FelixValues, ParameterLayer, RangeLayer } from './values.ts'
import { parsePortList } from '../ports.ts'
import { type CalicoVersion, parseVersion } from '../version.ts'

export interface FelixCluster extends FelixSource {
  /** Undefined: not known. Then only values on which all versions agree are returned. */
  calico?: CalicoVersion | undefined
}

export type FelixInputs = FelixNode & FelixCluster

/** The objects of a cluster, decoded once, with a lookup for each node. */
export interface FelixIndex {
  /** Nodes with the same layers get the same result object. */
  resolve(node: FelixNode): FelixResolution
  /** All layers that set a parameter (or spec field, case-insensitive) on this node, highest first. */
  layers(node: FelixNode, parameter: string): ParameterLayer[]
  rangeLayers(node: FelixNode): RangeLayer[]
  /** Whether these values of `InterfaceExclude`, as `resolve` returned them, cover an interface of this name. */
  excludesInterface(patterns: readonly string[], name: string): boolean
}

// One version of each kind: the versions between them resolve these parameters in the same way.
const kinds = ['3.22.0', '3.24.0', '3.26.0', '3.28.0', '3.29.0', '3.32.0', '3.33.0'].flatMap(
  (it) => parseVersion(it) ?? [],
)

/** For many nodes: decodes each object once, parses each text once. */
export function indexFelix(cluster: FelixCluster): FelixIndex {
  const versions = (cluster.calico ? [cluster.calico] : kinds).map((version) => indexForVersion(cluster, version))
  const newest = versions.at(-1) as VersionIndex
  const merge = cachedMerge()
  const reader = rangeReader()
  const specs = new Map(cluster.objects.map((object) => [objectName(object.name), object.spec]))
  const layers = (node: FelixNode, parameter: string): ParameterLayer[] =>
    parameterLayers(newest.layers(node), goLower(parameter), (object) => specs.get(object))
  return {
    resolve: (node) => merge(versions.map((version) => version.resolve(node))),
    layers,
    rangeLayers: (node) => layers(node, 'KubeNodePortRanges').map(reader),
    excludesInterface: cachedExcludes(),
  }
}

export const resolveFelix = (inputs: FelixInputs): FelixResolution => indexFelix(inputs).resolve(inputs)

export const rangeLayers = (inputs: FelixInputs): RangeLayer[] => indexFelix(inputs).rangeLayers(inputs)

/** The values that are certain; none if Felix does not start. */
export const certainValues = (resolution: FelixResolution): Partial<FelixValues & DerivedValues> =>
  resolution.outcome === 'error' ? {} : resolution.values

/** Whether `InterfaceExclude` covers an interface of this name. */
export const excludesInterface = (patterns: readonly string[], name: string): boolean =>
  patterns.some((pattern) => compileGo(pattern)?.matches(name) ?? false)

/** Nodes with equal layers share one result. */
function cachedExcludes(): FelixIndex['excludesInterface'] {
  const known = new Map<readonly string[], Map<string, boolean>>()
  return (patterns, name) => {
    const answers = known.get(patterns) ?? new Map<string, boolean>()
    const answer = answers.get(name) ?? excludesInterface(patterns, name)
    known.set(patterns, answers.set(name, answer))
    return answer
  }
}

type Merge = (answers: FelixResolution[]) => FelixResolution

function cachedMerge(): Merge {
  const known = new Map<FelixResolution | undefined, { answers: FelixResolution[]; merged: FelixResolution }[]>()
  return (answers) => {
    const [only] = answers
    if (only && answers.length === 1) return only
    const similar = known.get(only) ?? []
    known.set(only, similar)
    const same = similar.find((it) => it.answers.every((answer, at) => answer === answers[at]))
    if (same) return same.merged
    const merged = mergeVersions(answers)
    similar.push({ answers, merged })
    return merged
  }
}

type SpecOf = (object: string) => Record<string, unknown> | undefined

function parameterLayers(layers: readonly Layer[], name: string, specOf: SpecOf): ParameterLayer[] {
  const found = layers.flatMap((layer) => [
    ...unseenIn(layer, name),
    ...seenIn(layer, name, specOf(layer.object) ?? {}),
  ])
  const deciding = found.find((it) => it.raw !== '')
  return found.map((it) => {
    const decides = it.raw !== '' && it.source === deciding?.source
    return {
      ...it,
      decides,
      shadowed: !decides && deciding !== undefined && found.indexOf(it) > found.indexOf(deciding),
    }
  })
}

type FoundValue = Omit<ParameterLayer, 'decides' | 'shadowed'>

const unseenIn = (layer: Layer, name: string): FoundValue[] =>
  layer.unknown?.has(name) ? [{ source: layer.source, object: `env FELIX_${name.toUpperCase()}`, kind: 'env' }] : []

function seenIn(layer: Layer, name: string, spec: Readonly<Record<string, unknown>>): FoundValue[] {
  const entries = layer.entries.get(name) ?? []
  const places = entries.map((entry) => {
    const { kind, raw, field } = entry
    return { source: layer.source, object: objectOf(layer, entry), kind, raw, ...(field !== undefined && { field }) }
  })
  return entries.length > 0 ? places : fieldIn(layer, name, spec)
}

/**
 * A field of the spec that is in no table here: texts, numbers, booleans and lists of texts as the syncer writes
 * them.
 */
function fieldIn(layer: Layer, name: string, spec: Readonly<Record<string, unknown>>): FoundValue[] {
  const field = Object.keys(spec).find((it) => goLower(it) === name)
  const raw = field === undefined ? undefined : plainText(spec[field])
  if (field === undefined || raw === undefined) return []
  return [{ source: layer.source, object: layer.object, kind: 'spec', raw, field: `spec.${field}` }]
}

function plainText(value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Each text is parsed once, and its ranges are shared by all nodes. */
function rangeReader(): (layer: ParameterLayer) => RangeLayer {
  const known = new Map<string, ReturnType<typeof parsePortList>>()
  return (layer) => {
    const text = layer.raw ?? ''
    const list = known.get(text) ?? parsePortList(text)
    known.set(text, list)
    return withRanges(layer, list)
  }
}

function withRanges(layer: ParameterLayer, list: ReturnType<typeof parsePortList>): RangeLayer {
  if (layer.raw === undefined || layer.raw === '') return layer
  if (goLower(layer.raw) === 'none') return { ...layer, ranges: [] }
  return list.ok ? { ...layer, ranges: list.ranges } : { ...layer, reason: list.reason }
}
