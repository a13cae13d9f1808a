import { readFileSync } from 'node:fs'
import type { FelixObject } from '../../../shared/domain/cluster.ts'
import { type FelixInputs, resolveFelix } from '../../../shared/domain/felix/felix-index.ts'
import type { FelixParameter, FelixResolution } from '../../../shared/domain/felix/values.ts'
import { atLeast, type CalicoVersion, parseVersion } from '../../../shared/domain/version.ts'

/** One configuration and what Calico's own code made of it, recorded for several versions. */
export interface Vector {
  name: string
  input: VectorInput
  calico: string
  expected: VectorAnswer
  sameIn?: string[]
  differs?: Record<string, VectorAnswer>
}

interface VectorInput {
  objects: { metadata: Partial<VectorMetadata>; spec?: Record<string, unknown> }[]
  env?: Record<string, string>
  configFile?: string
  nodeName?: string
  nodeLabels?: Record<string, string>
  api?: 'v3'
}

interface VectorMetadata {
  name: string
  annotations: Record<string, string>
  creationTimestamp: string
}

type Values = Record<string, unknown>

export interface VectorAnswer {
  outcome: 'ok' | 'error' | 'nondeterministic'
  values?: Values
  sources?: Record<string, string>
  raw?: Record<string, Record<string, string>>
  warnings?: string[]
  alternatives?: Values[]
  stage?: string
  error?: string
}

/** A number that was written with a fraction although it is whole (`30000.0`): Go refuses it, JavaScript cannot tell. */
interface WrittenFloat {
  written: string
}

export function readVectors(): Vector[] {
  const text = readFileSync(new URL('../../vectors/felix.json', import.meta.url), 'utf8')
  const keepFloats = (_: string, value: unknown, context?: { source?: string }): unknown =>
    Number.isInteger(value) && /[.eE]/.test(context?.source ?? '')
      ? ({ written: context?.source ?? '' } satisfies WrittenFloat)
      : value
  return JSON.parse(text, keepFloats) as Vector[]
}

export const versionsOf = (vector: Vector): string[] => [
  vector.calico,
  ...(vector.sameIn ?? []),
  ...Object.keys(vector.differs ?? {}),
]

/** What was recorded as `master` is what became 3.33. */
const calicoOf = (version: string): CalicoVersion => {
  const calico = parseVersion(version === 'master' ? 'v3.33.0' : version)
  if (!calico) throw new Error(`test/vectors/felix.json names a version that cannot be read: ${version}`)
  return calico
}

/** In which respects our engine and the record differ for one version; empty where they agree. */
export function differences(vector: Vector, version: string): string[] {
  const calico = calicoOf(version)
  const own = resolveFelix(inputsOf(vector.input, calico))
  const other = vector.differs?.[version]
  const expected = other ?? vector.expected
  const isRecorded = version === vector.calico
  if (own.outcome !== expected.outcome) return [`outcome: ${own.outcome}, recorded ${expected.outcome}`]
  if (own.outcome === 'error') return isRecorded ? errorDifferences(own, expected) : []
  if (own.outcome === 'nondeterministic') return chanceDifferences(own, expected, calico)
  return [
    ...valueDifferences(own.values, recordedValues(expected.values ?? {}, calico, version)),
    ...sourceDifferences(own.sources, other ? {} : (expected.sources ?? {}), calico),
    ...(isRecorded ? [...rawDifferences(own, expected), ...warningDifferences(own, expected)] : []),
  ]
}

function inputsOf(input: VectorInput, calico: CalicoVersion): FelixInputs {
  return {
    nodeName: input.nodeName ?? 'node-1',
    nodeLabels: input.nodeLabels ?? {},
    env: Object.entries(input.env ?? {}).map(([name, value]) => ({ name, value })),
    ...(input.configFile !== undefined && { file: iniValues(input.configFile) }),
    objects: input.objects.map(objectOf),
    // The record's `v3` was read from projectcalico.org/v3 CRDs, which Felix understands from 3.32.
    ...(input.api === 'v3' ? { api: 'projectcalico.org/v3', nativeV3: true } : { api: 'crd.projectcalico.org/v1' }),
    calico,
  }
}

const objectOf = ({ metadata, spec }: VectorInput['objects'][number]): FelixObject => ({
  name: metadata.name ?? '',
  uid: '',
  resourceVersion: '1',
  createdAt: metadata.creationTimestamp ?? '',
  labels: {},
  annotations: metadata.annotations ?? {},
  spec: spec ?? {},
  managedFields: [],
})

const iniValues = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const pair = /^\s*([^=[\s]+)\s*=\s*(.*?)\s*$/.exec(line)
      return pair ? [[pair[1], pair[2]]] : []
    }),
  )

/** The record calls versions the same although nftables came with 3.29 and `Auto` with 3.32; both are put right here. */
function recordedValues(values: Values, calico: CalicoVersion, version: string): Values {
  const { NFTablesMode: mode, NftablesMarkMask: mask, ...rest } = values
  if (!atLeast(calico, '3.29')) return rest
  const known = { ...rest, NftablesMarkMask: mask ?? 0xffff0000, NFTablesMode: mode }
  if (!atLeast(calico, '3.32')) return { ...known, NFTablesMode: mode === 'Auto' ? 'Disabled' : mode }
  // From 3.33 Felix decides by what the mode resolves to, after the point where the record was taken.
  if (version === 'master' && mode === 'Enabled')
    return { ...known, effectiveMarkMask: hex(Number(known.NftablesMarkMask)) }
  return known
}

const hex = (mask: number): string => `0x${mask.toString(16).padStart(8, '0')}`

/** Our values in the form of the record. */
const inRecordedForm: Readonly<Record<string, (value: unknown) => unknown>> = {
  KubeNodePortRanges: (value) => (value as { min: number; max: number }[]).map(({ min, max }) => `${min}:${max}`),
  effectiveMarkMask: (value) => hex(value as number),
}

function valueDifferences(own: object, expected: Values): string[] {
  const values = own as Values
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const value = values[name]
    const shown = JSON.stringify(value === undefined ? undefined : (inRecordedForm[name]?.(value) ?? value))
    return shown === JSON.stringify(wanted) ? [] : [`${name}: ${shown}, recorded ${JSON.stringify(wanted)}`]
  })
}

function sourceDifferences(
  own: Record<string, string>,
  expected: Record<string, string>,
  calico: CalicoVersion,
): string[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const exists = atLeast(calico, '3.29') || !/^nftables/i.test(name)
    return !exists || own[name] === wanted ? [] : [`source of ${name}: ${own[name]}, recorded ${wanted}`]
  })
}

type Resolved<O> = Extract<FelixResolution, { outcome: O }>

function rawDifferences(own: Resolved<'ok'>, expected: VectorAnswer): string[] {
  return Object.entries(own.sources).flatMap(([name, source]) => {
    const layer = Object.entries(expected.raw?.[source] ?? {})
    const texts = layer.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, text]) => text)
    const raw = own.raw[name as FelixParameter]
    const same = source === 'default' ? raw === undefined : raw !== undefined && texts.every((text) => text === raw)
    return same && (source === 'default' || texts.length > 0)
      ? []
      : [`text of ${name}: ${raw}, recorded ${texts.join(' or ')}`]
  })
}

const recordedLayers: Readonly<Record<string, string>> = {
  'environment variable': 'env',
  'config file': 'file',
  'datastore (per-host)': 'host',
  'datastore (per-node-selector)': 'selector',
  'datastore (global)': 'global',
  'read from datastore': 'read',
}

/** The recorded log lines that say something about a value, as `kind parameter layer`. */
const recordedWarnings: readonly [pattern: RegExp, kind: string][] = [
  [/Replacing invalid value with default .*config parameter (\w+);.* source=(.+)$/, 'invalid'],
  [/Ignoring empty configuration parameter.* name=(\w+) source=(.+)$/, 'empty'],
  [/(?:)Multiple selector-scoped/, 'selector-overlap'],
  [/(?:)Failed to parse nodeSelector/, 'selector-invalid'],
]

function warningDifferences(own: Resolved<'ok'>, expected: VectorAnswer): string[] {
  const ours = own.warnings
    .filter((it) => it.kind !== 'ambiguous')
    .map((it) => [it.kind, it.parameter?.toLowerCase() ?? '', it.parameter ? it.source : ''].join(' '))
  const theirs = (expected.warnings ?? []).flatMap((line) =>
    recordedWarnings.flatMap(([pattern, kind]) => {
      const found = pattern.exec(line)
      return found ? [[kind, found[1]?.toLowerCase() ?? '', recordedLayers[found[2] ?? ''] ?? ''].join(' ')] : []
    }),
  )
  const [left, right] = [ours, theirs].map((lines) => [...new Set(lines)].sort().join('; '))
  return left === right ? [] : [`warnings: ${left}, recorded ${right}`]
}

function errorDifferences(own: Resolved<'error'>, expected: VectorAnswer): string[] {
  const stage = recordedLayers[expected.stage ?? '']
  const wanted = (expected.error ?? '')
    .replace(/^failed to list FelixConfiguration resources: /, '')
    .replace(/^failed to parse config parameter \w+; value ".*": /, '')
    .replace(/number \d+\.0 /, 'object ')
  return [
    ...(own.stage === stage ? [] : [`stage: ${own.stage}, recorded ${expected.stage}`]),
    ...(own.message.includes(wanted) ? [] : [`message: ${own.message}, recorded ${expected.error}`]),
  ]
}

function chanceDifferences(own: Resolved<'nondeterministic'>, expected: VectorAnswer, calico: CalicoVersion): string[] {
  const [first = {}, ...others] = (expected.alternatives ?? []).map((values) => recordedValues(values, calico, ''))
  const varies = (name: string): boolean =>
    others.some((it) => JSON.stringify(it[name]) !== JSON.stringify(first[name]))
  const [ours, theirs] = [own.parameters, Object.keys(first).filter(varies)].map((list) => [...list].sort().join(', '))
  const certain = Object.fromEntries(Object.entries(first).filter(([name]) => !varies(name)))
  return [
    ...(ours === theirs ? [] : [`by chance: ${ours}, recorded ${theirs}`]),
    ...valueDifferences(own.values, certain),
  ]
}
