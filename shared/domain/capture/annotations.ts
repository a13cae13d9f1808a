import { goLower } from '../felix/go.ts'
import { isReadable } from '../felix/metadata-copy.ts'
import { parameterNames } from '../felix/params.ts'
import { ownerAnnotations, ownerLabels } from '../facts/owner.ts'
import { copyKey } from '../felix/metadata-copy.ts'
import { leftOut } from '../plain.ts'
import { ours } from '../rollout/annotations.ts'

/** With this annotation the operator does not touch the object. */
export const ignoreKey = 'unsupported.operator.tigera.io/ignore'

const configPrefix = 'config.projectcalico.org/'
const isConfig = (key: string): boolean =>
  key.startsWith(configPrefix) && parameterNames.has(goLower(key.slice(configPrefix.length)))

/** Annotations that affect the result or show the object's owner. Others may contain anything. */
const isKept = (key: string): boolean =>
  key.startsWith(ours) || key === ignoreKey || isConfig(key) || ownerAnnotations.includes(key)

type Texts = Record<string, string>

export const keptAnnotations = (annotations: Texts): Texts =>
  Object.fromEntries(
    Object.entries(annotations).flatMap(([key, value]) =>
      key === copyKey ? [[key, keptCopy(value)]] : isKept(key) ? [[key, value]] : [],
    ),
  )

/** Parameters of which only the name is kept: the value is not needed. */
export const foreignSettings = (annotations: Texts): Texts =>
  Object.fromEntries(
    Object.keys(annotations).flatMap((key) => (key.startsWith(configPrefix) && !isConfig(key) ? [[key, leftOut]] : [])),
  )

export const keptLabels = (labels: Texts): Texts =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => ownerLabels.includes(key)))

/**
 * Whether the copy of the metadata contains anything that this tool does not need: then it is neither printed nor
 * captured completely.
 */
export const isPrivate = (copy: string): boolean => keptCopy(copy).includes(leftOut)

/** The copy with the keys of all annotations, and the values of those that are kept. What Go could not decode stays as it is. */
export function keptCopy(text: string): string {
  const copy = isReadable(text) ? (JSON.parse(text) as unknown) : undefined
  if (typeof copy !== 'object' || copy === null) return text
  const entries = Object.entries(copy).flatMap(([key, value]): [string, unknown][] => {
    const field = goLower(key)
    if (field === 'annotations') return [[key, masked(value as Texts | null)]]
    if (field === 'labels') return [[key, value === null ? value : keptLabels(value as Texts)]]
    return field === 'creationtimestamp' || field === 'name' ? [[key, value]] : []
  })
  return JSON.stringify(Object.fromEntries(entries))
}

const masked = (annotations: Texts | null): Texts | null =>
  annotations &&
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, isKept(key) ? value : leftOut]))
