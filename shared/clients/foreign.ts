import { milliseconds } from '../domain/rfc3339.ts'

/** Reads of JSON whose shape nobody promised: what is not of the wanted type counts as not there. */
export type Foreign = Record<string, unknown>

const nothing: Foreign = Object.freeze({})

export const isObject = (it: unknown): it is Foreign => typeof it === 'object' && it !== null && !Array.isArray(it)
export const objectOf = (it: unknown): Foreign => (isObject(it) ? it : nothing)
export const listOf = (it: unknown): unknown[] => (Array.isArray(it) ? it : [])
export const objectsOf = (it: unknown): Foreign[] => listOf(it).filter(isObject)
export const textOf = (it: unknown): string | undefined => (typeof it === 'string' ? it : undefined)
export const textsOf = (it: unknown): string[] => listOf(it).filter((entry) => typeof entry === 'string')
/** A moment, as Kubernetes writes it; what a server that lies makes of one would pass for no time at all. */
export const timeOf = (it: unknown): string | undefined =>
  typeof it === 'string' && !Number.isNaN(milliseconds(it)) ? it : undefined
export const numberOf = (it: unknown): number | undefined =>
  typeof it === 'number' && Number.isFinite(it) ? it : undefined

/** A map of texts, such as labels. */
export function textMapOf(it: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOf(it)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** Leaves out keys without a value: fields that are not known are absent in the domain. */
export function present<T extends object>(it: { [K in keyof T]: T[K] | undefined }): T
export function present(it: object): object {
  // For every pod and node: a copy by entries costs twice as much.
  const kept: Foreign = {}
  for (const [key, value] of Object.entries(it)) if (value !== undefined) kept[key] = value
  return kept
}

/** One line without control characters, for messages made of what a server said. */
export function oneLine(text: string, length = 300): string {
  const line = text
    .slice(0, length * 4)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
  return line.length > length ? `${line.slice(0, length - 1)}…` : line
}
