import { milliseconds } from '../rfc3339.ts'
import { DecodeError, goLower, quote, short } from './go.ts'

export const copyKey = 'projectcalico.org/metadata'

export interface MetadataCopy {
  annotations: ReadonlyMap<string, string>
  createdAt?: number
}

/** `projectcalico.org/metadata`: a v3 ObjectMeta as JSON. Anything in it that Go could not decode makes the object unreadable. */
export function readCopy(text: string | undefined): MetadataCopy | undefined {
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

/** Whether Go could decode it. */
export function isReadable(text: string): boolean {
  try {
    readCopy(text)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw error
  }
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
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(milliseconds(value))
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

/** Milliseconds; an object without a time is older than all. */
export function timeOf(text: string): number {
  const time = milliseconds(text)
  return Number.isNaN(time) ? -Infinity : time
}
