import type { FelixObject } from '../cluster.ts'
import { type BadField, DecodeError, goLower, inField } from './go.ts'
import { copyKey, readCopy, timeOf } from './metadata-copy.ts'
import type { Parameter } from './params.ts'
import { decoders, readSelector } from './spec.ts'
import { checkSpec, type SpecChecks } from './spec-checks.ts'

/** One setting of one source. */
export interface FelixSetting {
  /** The parameter's name as written there. */
  key: string
  raw: string
  field?: string
  kind: 'env' | 'file' | 'annotation' | 'spec'
}

/** Settings by lower-case parameter name; several if a name has several spellings. */
export type FelixSettings = ReadonlyMap<string, FelixSetting[]>

/** `at`: the invalid field, if it is one. */
export type Decoded = DecodedObject | { ok: false; reason: string; at?: BadField }

export interface DecodedObject {
  ok: true
  entries: FelixSettings
  /** Milliseconds; an object without a time is older than all others. */
  createdAt: number
  /** Not empty. */
  nodeSelector?: string
}

export interface DecodeRules {
  parameters: ReadonlyMap<string, Parameter>
  /**
   * The copy of the v3 metadata takes precedence over the object's own annotations (3.28 and newer, read through v1).
   */
  metadataCopy: 'merged' | 'parsed' | 'ignored'
  checks: SpecChecks
  /** This version's spec has `nodeSelector`, so an invalid one makes the object unreadable. */
  selectors: boolean
}

const annotationPrefix = 'config.projectcalico.org/'
/** The settings of one FelixConfiguration as Felix's syncer would pass them on, or why Go cannot read the object. */
export function decodeObject(object: FelixObject, rules: DecodeRules): Decoded {
  try {
    const copy = rules.metadataCopy === 'ignored' ? undefined : copyOf(object.annotations[copyKey])
    const merged = rules.metadataCopy === 'merged' ? copy : undefined
    checkSpec(object.spec, rules.checks)
    const entries = new Map<string, FelixSetting[]>()
    for (const entry of specEntries(object.spec, rules.parameters)) add(entries, entry)
    for (const entry of annotationEntries(object.annotations, merged?.annotations ?? new Map())) add(entries, entry)
    const nodeSelector = rules.selectors ? selectorOf(object.spec['nodeSelector']) : undefined
    const createdAt = copy?.createdAt ?? timeOf(object.createdAt)
    return nodeSelector ? { ok: true, entries, createdAt, nodeSelector } : { ok: true, entries, createdAt }
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: error.message, ...(error.at && { at: error.at }) }
    throw error
  }
}

const copyOf = (text: string | undefined) => inField(`metadata.annotations[${copyKey}]`, text, () => readCopy(text))
const selectorOf = (value: unknown) => inField('spec.nodeSelector', value, () => readSelector(value))

/** An annotation hides the spec's value only if it has exactly the parameter's name. */
function add(entries: Map<string, FelixSetting[]>, entry: FelixSetting): void {
  const name = goLower(entry.key)
  const others = (entries.get(name) ?? []).filter((other) => other.key !== entry.key)
  entries.set(name, [...others, entry])
}

function* annotationEntries(
  own: Readonly<Record<string, string>>,
  copied: ReadonlyMap<string, string>,
): Generator<FelixSetting> {
  for (const [key, raw] of Object.entries(own)) {
    if (key.startsWith(annotationPrefix) && !copied.has(key)) yield annotation(key, raw, key)
  }
  for (const [key, raw] of copied) if (key.startsWith(annotationPrefix)) yield annotation(key, raw, copyKey)
}

const annotation = (key: string, raw: string, at: string): FelixSetting => ({
  key: key.slice(annotationPrefix.length),
  raw,
  field: `metadata.annotations[${at}]`,
  kind: 'annotation',
})

function* specEntries(spec: Record<string, unknown>, parameters: DecodeRules['parameters']): Generator<FelixSetting> {
  for (const { name, spec: place } of parameters.values()) {
    const value = place && Object.hasOwn(spec, place.field) ? spec[place.field] : undefined
    if (!place || value === undefined || value === null) continue
    const field = `spec.${place.field}`
    const raw = inField(field, value, () => decoders[place.kind](value, place.field))
    if (raw !== undefined) yield { key: name, raw, field, kind: 'spec' }
  }
}
