import type { ManagedFields } from '../cluster.ts'

/** Which manager wrote these fields, and when. */
export const keptFields = (all: readonly ManagedFields[], paths: string[][]): ManagedFields[] =>
  all.flatMap(({ manager, operation, time, fields }) => {
    const owned = paths.filter((path) => has(fields, path))
    return owned.length === 0
      ? []
      : [present<ManagedFields>({ manager, operation, time, fields: owned.reduce(withPath, {}) })]
  })

type Fields = Record<string, unknown>
const has = (fields: unknown, [step, ...rest]: string[]): boolean =>
  step === undefined ||
  (typeof fields === 'object' && fields !== null && Object.hasOwn(fields, step) && has((fields as Fields)[step], rest))

const withPath = (fields: Fields, [step, ...rest]: string[]): Fields =>
  step === undefined ? fields : { ...fields, [step]: withPath((fields[step] ?? {}) as Fields, rest) }

export const only = <T>(all: Record<string, T>, wanted: (key: string) => boolean): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([key]) => wanted(key)))

/**
 * Leaves out fields without a value. Every field of the type must be listed: a new field does not compile until it is
 * decided whether to keep it.
 */
export function present<T extends object>(it: { [K in keyof T]-?: T[K] | undefined }): T
export function present(it: object): object {
  return Object.fromEntries(Object.entries(it).filter(([, value]) => value !== undefined))
}
