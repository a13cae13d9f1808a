import type { FelixObject } from '../cluster.ts'
import { fingerprint } from '../fingerprint.ts'
import type { Rollout } from './rollout.ts'
import { fieldManager, rangeAnnotation } from './annotations.ts'
import { changeMark, isOurs } from './marks.ts'

/**
 * The objects that were written, stored in the Lease, because the marks on an object are lost when it is deleted. One
 * short word for each object, because a Lease is small: `…?` is noted before the write, the word alone after it. If
 * the process dies between the two, it is not known whether the object was written, and it is written once more
 * (`…??`); more often only where the object shows that no write arrived.
 */
export type Written = 'no' | 'perhaps' | 'perhaps twice' | 'yes'

const wordOf = (object: string): string => fingerprint(object).slice(0, 8)
/** The limit of notes of one write, so that it ends also where the process dies at each of them. */
const notesAtMost = 9
const wordPattern = new RegExp(`^[\\da-f]{8}\\?{0,${notesAtMost}}$`)
export const isWord = (text: string): boolean => wordPattern.test(text)

/** How often the write was noted since it was last confirmed; undefined: never. */
const notesOf = (written: string[] = []): ((object: string) => number | undefined) => {
  const notes = new Map(written.map((it) => [it.slice(0, 8), it.length - 8]))
  return (object) => notes.get(wordOf(object))
}

export const writtenBefore = ({ written }: Pick<Rollout, 'written'>): ((object: string) => Written) => {
  const notes = notesOf(written)
  return (object) => {
    const count = notes(object)
    if (count === undefined) return 'no'
    return count === 0 ? 'yes' : count === 1 ? 'perhaps' : 'perhaps twice'
  }
}

/**
 * Nodes got the range of this rollout from its write of `default`, all at once, and are watched after it. If somebody took the
 * marks from `default`, or put others there, the Lease remembers the write.
 */
export const isAtOnce = (base: FelixObject, rollout: Pick<Rollout, 'id' | 'pace' | 'written'>): boolean => {
  const mark = changeMark(base)
  if (mark?.rollout === rollout.id) return mark.atOnce === true
  return rollout.pace.strategy !== 'staged' && writtenBefore(rollout)('default') !== 'no'
}

/** The words with a note that the object is about to be written. Existing overrides have been written. */
export const noting = (rollout: Rollout, object: string, objects: FelixObject[]): string[] => {
  const seen = objects.filter((it) => isOurs(it) && it.annotations[rangeAnnotation] === rollout.target)
  const known = new Set(seen.map(({ name }) => wordOf(name)))
  const word = wordOf(object)
  // What is written anew may be taken back anew.
  const kept = forgotten(forgotten(rollout.written, rangeOff(object)), allOff(object))
  const others = kept.filter((it) => !known.has(it.replaceAll('?', '')) && !it.startsWith(word))
  const before = notesOf(rollout.written)(object)
  // A confirmed write counts as one.
  const notes = Math.min((before === 0 ? 1 : (before ?? 0)) + 1, notesAtMost)
  return [...others, ...[...known].filter((it) => it !== word), word + '?'.repeat(notes)]
}

/** The words after the object was written. */
export const confirmed = (written: string[], object: string): string[] => [
  ...forgotten(written, object),
  wordOf(object),
]

/** The words without this object, because we deleted it ourselves. */
export const forgotten = (written: string[] = [], object: string): string[] =>
  written.filter((it) => !it.startsWith(wordOf(object)))

/** Words for what we take back from an object: its range, and what we wrote there as a whole. No object has such a name. */
export const rangeOff = (object: string): string => `-${object}`
export const allOff = (object: string): string => `=${object}`

/**
 * What we took back from this object is there again: somebody restored it, and it is left. The removal of an override restarts
 * nothing: it is only noted, and made twice at most. What finalizers keep after it is then given its former content, once.
 * If nobody but us has written the object, nobody restored it: the process died before each write.
 */
export const isRestored = ({ written }: Pick<Rollout, 'written'>): ((object: FelixObject) => boolean) => {
  const notes = notesOf(written)
  const isDone = (count: number | undefined, object: FelixObject) =>
    count !== undefined && count >= (isOnlyOurs(object) ? notesAtMost : 2)
  return (object) => {
    const [removal, takeBack] = [notes(allOff(object.name)), notes(rangeOff(object.name))]
    if (removal === 0 || (isDone(removal, object) && object.deletedAt === undefined)) return true
    return object.annotations[rangeAnnotation] !== undefined && (takeBack === 0 || isDone(takeBack, object))
  }
}

/** The API server adds everybody who writes. */
const isOnlyOurs = ({ managedFields }: FelixObject): boolean =>
  managedFields.length > 0 && managedFields.every(({ manager }) => manager === fieldManager)

/** The words of `default` and of the objects that are there. */
export const thoseThere = (written: string[] = [], objects: FelixObject[]): string[] => {
  const there = new Set(['default', ...objects.map(({ name }) => name)].map(wordOf))
  return written.filter((it) => there.has(it.replaceAll('?', '')))
}

/**
 * The words after a halt gave `default` its former value, which was noted as not written by us. If it has our value
 * again, somebody wrote that.
 */
export const restored = (written: string[]): string[] => [...written, `${wordOf('default')}??`]

/** The field manager that wrote last, other than ours. Unknown for a deleted object. */
export const lastWriter = (object: FelixObject | undefined): string | undefined =>
  object?.managedFields
    .filter(({ manager }) => manager !== fieldManager)
    .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]
    ?.manager.slice(0, 100)
