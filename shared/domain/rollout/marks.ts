import type { FelixObject } from '../cluster.ts'
import { fingerprint } from '../fingerprint.ts'
import { plain, shortened } from '../plain.ts'
import { mayBeWritten, rangeTextAtMost, specItemsMax } from '../ports.ts'
import type { ServiceRange } from '../report.ts'
import { milliseconds } from '../rfc3339.ts'
import { changedAtKey, changeKey, clockSkew, fieldManager, overrideKey, rangeAnnotation } from './annotations.ts'

/** On every object that this tool writes: the writer, the rollout and the former value. */
export interface ChangeMark {
  by: string
  rollout: string
  from?: string
  /** On `default`: the former `spec.kubeNodePortRanges`, which Felix ignores and people wrote. */
  spec?: SpecItems
  why?: string
  /** RFC 3339: when the write was first noted, if there was an earlier attempt. */
  noted?: string
  /** The source of the service range that led to the write. */
  known?: Known
  /** Fields of `spec` that the API server may set to defaults. */
  filled?: string[]
  /** On `default`: some nodes got the range from this write, all at once, and are watched after it. */
  atOnce?: true
  /** A fingerprint of the written object, which distinguishes our override from a copied or changed one. */
  seal?: string
}

export type Known = Exclude<ServiceRange['source'], 'default'>
export const knowns = ['eks-api', 'probe', 'flag'] as const satisfies Known[]

/** A mark can be forged: one that is longer than any of ours is not ours. */
const longest = { mark: rangeTextAtMost + 8_000, by: 300, why: 500, filled: 100 }

/** The former value as a mark has room for it. What is cut is no list of ports any more, and is never restored. */
export const formerIn = (from: string): string =>
  JSON.stringify(from).length <= rangeTextAtMost + 2 ? from : plain(shortened(from, 2_000))

type SpecItems = (string | number)[]

/** What Calico's API takes back; another spec is not remembered. */
export const specItemsOf = (it: unknown): SpecItems | undefined =>
  Array.isArray(it) && it.length <= specItemsMax && it.every(isItem) && mayBeWritten(it.join(',')) ? it : undefined
const isItem = (it: unknown): boolean => /^(?:"[\d:]{1,11}"|\d{1,5})$/.test(JSON.stringify(it))

/** Undefined: not written by this tool, or changed since. */
export const changeMark = ({ annotations }: Pick<FelixObject, 'annotations'>): ChangeMark | undefined => {
  const text = annotations[changeKey] ?? ''
  if (text.length > longest.mark) return undefined
  try {
    return markOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

const markOf = (it: unknown): ChangeMark | undefined => {
  const { by, rollout, from, spec, why, noted, known, filled, atOnce, seal } = (it ?? {}) as Record<
    keyof ChangeMark,
    unknown
  >
  if (typeof by !== 'string' || by.length > longest.by) return undefined
  if (typeof rollout !== 'string' || !/^\S{1,64}$/.test(rollout)) return undefined
  const fields = Array.isArray(filled) ? filled.filter((name) => typeof name === 'string').slice(0, longest.filled) : []
  const items = specItemsOf(spec)
  return {
    by,
    rollout,
    ...(items && { spec: items }),
    ...(typeof from === 'string' && { from }),
    ...(typeof why === 'string' && { why: why.slice(0, longest.why) }),
    ...(typeof noted === 'string' && !Number.isNaN(milliseconds(noted)) && { noted }),
    ...(knowns.some((it) => it === known) && { known: known as Known }),
    ...(fields.length > 0 && { filled: fields }),
    ...(atOnce === true && { atOnce }),
    ...(typeof seal === 'string' && { seal }),
  }
}

/** The object claims to be an override of this tool. The claim can be forged; `isOurs` verifies it. */
export const isMarked = ({ annotations }: Pick<FelixObject, 'annotations'>): boolean =>
  annotations[overrideKey] !== undefined

/**
 * An override that this tool created or extended: the object of a node, with the marks of our write, and without any
 * setting that we did not write. Any other object with our mark was copied, restored or changed.
 */
export const isOurs = (object: FelixObject): boolean => {
  const mark = isMarked(object) && /^node\../.test(object.name) ? changeMark(object) : undefined
  return mark?.seal !== undefined && mark.seal === sealOf(object, mark)
}

/** The seal covers the whole object if we created it, and only our value if the object existed before. */
export const sealOf = (
  { name, annotations, spec }: Pick<FelixObject, 'name' | 'annotations' | 'spec'>,
  { by, rollout, filled = [] }: Pick<ChangeMark, 'by' | 'rollout' | 'filled'>,
): string => {
  const [made, changedAt] = [annotations[overrideKey], annotations[changedAtKey]]
  const settings = settingsOf(annotations)
  const free = new Set(['kubeNodePortRanges', ...filled])
  const fields = Object.entries(spec).filter(([field]) => !free.has(field))
  const content = made === 'created' ? [settings, fields] : [settings.filter(([key]) => key === rangeAnnotation)]
  return fingerprint(canonical([name, made, changedAt, by, rollout, ...content]))
}

/** Only annotations that Felix reads: admission webhooks also add others, which configure nothing. */
const settingsOf = (annotations: Record<string, string>): [string, string][] => {
  const all = { ...inCopy(annotations), ...annotations }
  return Object.entries(all)
    .filter(([key]) => key.startsWith('config.projectcalico.org/'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Calico's API server stores annotations in a JSON copy of the metadata. */
const inCopy = (annotations: Record<string, string>): Record<string, string> => {
  try {
    const copy = JSON.parse(annotations['projectcalico.org/metadata'] ?? '{}') as { annotations?: object } | null
    return Object.fromEntries(
      Object.entries(copy?.annotations ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    )
  } catch {
    return {}
  }
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, it: unknown) =>
    typeof it === 'object' && it !== null && !Array.isArray(it)
      ? Object.fromEntries(Object.entries(it).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : it,
  )

/**
 * When this tool last wrote the object: by the clock of the writer or of the API server, whichever is later, because
 * with a slow clock a node that was just touched would count as settled. An invalid or future time is forged: then
 * the time of our last write, or of the last write, from the API server counts. `now` and the result are in milliseconds.
 */
export const touchedAt = (object: FelixObject, now: number): number => {
  const at = milliseconds(object.annotations[changedAtKey] ?? '')
  const ours = storedByUs(object, now)
  if (at <= now + clockSkew) return Math.max(at, ...ours)
  // Not that of somebody who took our marks and updates the object all the time: what we wrote would never settle.
  if (ours.length > 0) return Math.max(...ours)
  const written = object.managedFields.map(({ time }) => milliseconds(time ?? '')).filter((it) => it <= now + clockSkew)
  const made = milliseconds(object.createdAt)
  return Math.max(...written, Number.isNaN(made) ? 0 : made) || now
}

const storedByUs = ({ managedFields }: FelixObject, now: number): number[] =>
  managedFields
    .filter(({ manager }) => manager === fieldManager)
    .map(({ time }) => milliseconds(time ?? ''))
    .filter((it) => it <= now + clockSkew)
