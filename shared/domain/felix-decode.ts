import type { FelixObject } from './cluster.ts'
import { goLower, quote, short } from './felix-go.ts'
import type { Parameter, SpecKind } from './felix-params.ts'
import { parsePortList } from './ports.ts'

/** One setting in one place. */
export interface Entry {
  /** The parameter's name as it stands there. */
  key: string
  raw: string
  field?: string
  kind: 'env' | 'file' | 'annotation' | 'spec'
}

/** Settings by lower-case parameter name; several where a name is spelled in several ways. */
export type Entries = ReadonlyMap<string, Entry[]>

export type Decoded = DecodedObject | { ok: false; reason: string }

export interface DecodedObject {
  ok: true
  entries: Entries
  /** Milliseconds; of an object without a time: before all. */
  createdAt: number
  /** Not empty. */
  nodeSelector?: string
}

export interface DecodeRules {
  parameters: ReadonlyMap<string, Parameter>
  /** The copy of the v3 metadata counts and beats the object's own annotations (3.28 and newer, read through v1). */
  metadataCopy: 'merged' | 'parsed' | 'ignored'
  /** This version's spec has `nodeSelector`, so a wrong one makes the object unreadable. */
  selectors: boolean
}

/** What Go's decoder says; caught in this file. */
class DecodeError extends Error {}

const annotationPrefix = 'config.projectcalico.org/'
const copyKey = 'projectcalico.org/metadata'

/** The settings of one FelixConfiguration as Felix's syncer would pass them on, or why Go cannot read the object. */
export function decodeObject(object: FelixObject, rules: DecodeRules): Decoded {
  try {
    const copy = rules.metadataCopy === 'ignored' ? undefined : readCopy(object.annotations[copyKey])
    const merged = rules.metadataCopy === 'merged' ? copy : undefined
    const entries = new Map<string, Entry[]>()
    for (const entry of specEntries(object.spec, rules.parameters)) add(entries, entry)
    for (const entry of annotationEntries(object.annotations, merged?.annotations ?? new Map())) add(entries, entry)
    const nodeSelector = rules.selectors ? readSelector(object.spec['nodeSelector']) : undefined
    const createdAt = copy?.createdAt ?? timeOf(object.createdAt)
    return nodeSelector ? { ok: true, entries, createdAt, nodeSelector } : { ok: true, entries, createdAt }
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: error.message }
    throw error
  }
}

/** An annotation hides the spec's value only where it has exactly the parameter's name. */
function add(entries: Map<string, Entry[]>, entry: Entry): void {
  const name = goLower(entry.key)
  const others = (entries.get(name) ?? []).filter((other) => other.key !== entry.key)
  entries.set(name, [...others, entry])
}

function* annotationEntries(
  own: Readonly<Record<string, string>>,
  copied: ReadonlyMap<string, string>,
): Generator<Entry> {
  for (const [key, raw] of Object.entries(own)) {
    if (key.startsWith(annotationPrefix) && !copied.has(key)) yield annotation(key, raw, key)
  }
  for (const [key, raw] of copied) if (key.startsWith(annotationPrefix)) yield annotation(key, raw, copyKey)
}

const annotation = (key: string, raw: string, at: string): Entry => ({
  key: key.slice(annotationPrefix.length),
  raw,
  field: `metadata.annotations[${at}]`,
  kind: 'annotation',
})

function* specEntries(spec: Record<string, unknown>, parameters: DecodeRules['parameters']): Generator<Entry> {
  for (const { name, spec: place } of parameters.values()) {
    const value = place && Object.hasOwn(spec, place.field) ? spec[place.field] : undefined
    if (!place || value === undefined || value === null) continue
    const raw = decoders[place.kind](value, place.field)
    if (raw !== undefined) yield { key: name, raw, field: `spec.${place.field}`, kind: 'spec' }
  }
}

const readSelector = (value: unknown): string | undefined => decoders.string(value ?? '', 'nodeSelector')

/** The text that Felix gets for a field; undefined where it counts as not set. */
const decoders: Record<SpecKind, (value: unknown, field: string) => string | undefined> = {
  bool(value, field) {
    if (typeof value !== 'boolean') throw mismatch(value, field, 'bool')
    return String(value)
  },
  string(value, field) {
    if (typeof value !== 'string') throw mismatch(value, field, 'string')
    return value === '' ? undefined : value
  },
  // A pointer to a string type: the empty text is passed on, and then ignored with a word in the log.
  enum(value, field) {
    if (typeof value !== 'string') throw mismatch(value, field, 'string')
    return value
  },
  uint32: (value, field) => String(wholeNumber(value, field, { type: 'uint32', min: 0, max: 0xffffffff })),
  int64: (value, field) => String(wholeNumber(value, field, { type: 'int64', min: -(2 ** 63), max: 2 ** 63 - 1 })),
  // The syncer has no way to write this type as text, so Felix gets Go's own form of a list: `[30000:32767 40000]`.
  ports(value, field) {
    if (!Array.isArray(value)) throw mismatch(value, field, '[]numorstring.Port')
    return `[${value.map((item) => portText(item, field)).join(' ')}]`
  },
}

interface Whole {
  type: string
  min: number
  max: number
}

function wholeNumber(value: unknown, field: string, { type, min, max }: Whole): number {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
  if (!fits) throw mismatch(value, field, type)
  return value
}

/** numorstring.Port: UnmarshalJSON, then String. */
function portText(item: unknown, field: string): string {
  if (item === null) return '0'
  if (typeof item === 'number') return String(wholeNumber(item, field, { type: 'uint16', min: 0, max: 65535 }))
  if (typeof item !== 'string') throw mismatch(item, field, 'uint16')
  const list = item.includes(',') ? undefined : parsePortList(item)
  const range = list?.ok ? list.ranges[0] : undefined
  if (range) return range.min === range.max ? `${range.min}` : `${range.min}:${range.max}`
  if (list && !list.ok && list.reason.endsWith(' has port name set')) return item
  throw new DecodeError(portError(item))
}

function portError(item: string): string {
  if (/^\d+$/.test(item)) return `invalid port format (${short(item)})`
  const [, min, max] = /^(\d+):(\d+)$/.exec(item) ?? []
  if (min === undefined || max === undefined) return `invalid name for named port (${short(item)})`
  if (Number(min) > 65535) return `invalid minimum port number in range (${short(item)})`
  if (Number(max) > 65535) return `invalid maximum port number in range (${short(item)})`
  return `minimum port number (${Number(min)}) is greater than maximum port number (${Number(max)}) in port range`
}

function mismatch(value: unknown, field: string, type: string): DecodeError {
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  const shown = kind === 'number' ? `number ${String(value)}` : kind
  return new DecodeError(
    `json: cannot unmarshal ${shown} into Go struct field FelixConfigurationSpec.spec.${field} of type ${type}`,
  )
}

interface MetadataCopy {
  annotations: ReadonlyMap<string, string>
  createdAt?: number
}

/** `projectcalico.org/metadata`: a v3 ObjectMeta as JSON. Anything in it that Go could not decode makes the object unreadable. */
function readCopy(text: string | undefined): MetadataCopy | undefined {
  if (text === undefined) return undefined
  const copy = parseJson(text)
  if (copy === null) return { annotations: new Map() }
  if (!isRecord(copy)) throw new DecodeError(`${copyKey}: not an object: ${quote(text)}`)
  const annotations = new Map<string, string>()
  let createdAt: number | undefined
  for (const [key, value] of Object.entries(copy)) {
    const field = goLower(key)
    if (value === null) continue
    if (copyFields[field]?.(value) === false) throw new DecodeError(`${copyKey}: ${short(key)} has the wrong type`)
    if (field === 'annotations') for (const [name, it] of textsOf(value)) annotations.set(name, it)
    if (field === 'creationtimestamp') createdAt = setTime(value as string)
  }
  return createdAt === undefined ? { annotations } : { annotations, createdAt }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new DecodeError(`${copyKey}: not JSON: ${quote(text)}`)
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(timeOf(value, Number.NaN))
const isTexts = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((it) => it === null || typeof it === 'string')
// A null among texts decodes as the empty text.
const textsOf = (value: unknown): [string, string][] =>
  Object.entries(value as Record<string, string | null>).map(([name, it]) => [name, it ?? ''])
const isWhole = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value)
const isRecords = (value: unknown): boolean => Array.isArray(value) && value.every((it) => it === null || isRecord(it))

const copyFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  name: isText,
  generatename: isText,
  namespace: isText,
  selflink: isText,
  uid: isText,
  resourceversion: isText,
  generation: isWhole,
  creationtimestamp: isTime,
  deletiontimestamp: isTime,
  deletiongraceperiodseconds: isWhole,
  labels: isTexts,
  annotations: isTexts,
  finalizers: (value) => Array.isArray(value) && value.every((it) => it === null || isText(it)),
  ownerreferences: isRecords,
  managedfields: isRecords,
}

// Go's zero time, which its encoder writes for "not set" where a time is not a pointer.
const setTime = (text: string): number | undefined =>
  text.startsWith('0001-01-01T00:00:00') ? undefined : timeOf(text)

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds; an object without a time is older than all. */
function timeOf(text: string, otherwise = -Infinity): number {
  const time = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? otherwise : time
}
