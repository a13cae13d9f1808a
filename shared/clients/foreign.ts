import { shortened, harmless, plain } from '../domain/plain.ts'
import { milliseconds } from '../domain/rfc3339.ts'

/** Reads untrusted JSON: a value of another type counts as absent. */
export type Foreign = Record<string, unknown>

const nothing: Foreign = Object.freeze({})

export const isObject = (it: unknown): it is Foreign => typeof it === 'object' && it !== null && !Array.isArray(it)
export const objectOf = (it: unknown): Foreign => (isObject(it) ? it : nothing)
export const listOf = (it: unknown): unknown[] => (Array.isArray(it) ? it : [])
export const objectsOf = (it: unknown): Foreign[] => listOf(it).filter(isObject)
/** For names, states, versions, labels: sanitized, so it is safe in any output. */
export const textOf = (it: unknown): string | undefined => (typeof it === 'string' ? harmless(it) : undefined)
export const textsOf = (it: unknown): string[] => exactTextsOf(it).map(harmless)
/**
 * Unchanged, for values that are parsed, compared or passed on literally: annotations, variables, files, credentials.
 */
export const exactTextOf = (it: unknown): string | undefined => (typeof it === 'string' ? it : undefined)
export const exactTextsOf = (it: unknown): string[] => listOf(it).filter((entry) => typeof entry === 'string')
/** A time as Kubernetes writes it; any other text is ignored. */
export const timeOf = (it: unknown): string | undefined =>
  typeof it === 'string' && !Number.isNaN(milliseconds(it)) ? it : undefined
export const numberOf = (it: unknown): number | undefined =>
  typeof it === 'number' && Number.isFinite(it) ? it : undefined

/** A map of texts with unchanged values, such as annotations. */
export function exactTextMapOf(it: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(it)).flatMap(([key, value]) => (typeof value === 'string' ? [[harmless(key), value]] : [])),
  )
}

/** A map of texts, such as labels. */
export const textMapOf = (it: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries(exactTextMapOf(it)).map(([key, value]) => [key, harmless(value)]))

/** Leaves out keys without a value: fields that are not known are absent in the domain. */
export function present<T extends object>(it: { [K in keyof T]: T[K] | undefined }): T
export function present(it: object): object {
  // For every pod and node: a copy by entries costs twice as much.
  const kept: Foreign = {}
  for (const [key, value] of Object.entries(it)) if (value !== undefined) kept[key] = value
  return kept
}

/** One sanitized line without secrets, for messages with text of a server. */
export function oneLine(text: string, length = 300): string {
  const line = plain(shortened(text, Math.max(10_000, length))).trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
