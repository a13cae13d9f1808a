import type { FelixObject } from '../cluster.ts'
import { objectName } from '../felix/layer.ts'
import { plain, plainAll, shortened } from '../plain.ts'
import { milliseconds } from '../rfc3339.ts'
import { changedAtKey, overrideKey, rangeAnnotation } from './annotations.ts'
import { changeMark, isOurs } from './marks.ts'
import { present } from './present.ts'

/** One write: when, in which rollout, what, on which object, from what to what, by whom, and why. */
export interface JournalEntry {
  /** RFC 3339 */
  at: string
  /** Id of the rollout, which is derived from its plan. */
  rollout: string
  /** `override`, `promote`, `restart`, `halt`, …: one word. */
  what: string
  /** `FelixConfiguration/node.n1`, `Pod/calico-system/calico-node-abc12`, `-`. */
  object: string
  from?: string
  to?: string
  by: string
  /** Codes of the findings that made it necessary, or the reason in words. */
  why?: string
}

/** The newest entries, in the order of writing, and the number of earlier entries, which are only in the log. */
export interface Journal {
  entries: JournalEntry[]
  earlier: number
}

export const emptyJournal: Journal = { entries: [], earlier: 0 }

/** A Lease holds 256 KiB of annotations at most, and every step reads it. */
export const journalKept = { entries: 200, characters: 24_000 }

/** Characters of a value: the range on an object may have any length, and a line must be read again. */
const valueKept = 4_096

const word = (value: string | undefined): string => {
  if (value === undefined || value === '') return '-'
  const text = encodeURI(plain(shortened(value)))
  // Without the rest of a character that was cut.
  return text.length <= valueKept ? text : text.slice(0, valueKept).replace(/(%[\dA-F]{0,2})+$/, '') + encodeURI('…')
}

const unword = (text: string | undefined): string | undefined => {
  if (text === undefined || text === '-') return undefined
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

const oneLine = (text: string): string => plain(text).replace(/\s+/g, ' ')
const reasonKept = 240

const lineOf = ({ at, rollout, what, object, from, to, by, why }: JournalEntry): string =>
  [at, rollout, what, object, word(from), '->', word(to), 'by', oneLine(by), ...(why ? [because + cut(why)] : [])].join(
    ' ',
  )

const because = 'because '
const cut = (why: string): string => oneLine(why).slice(0, reasonKept).trim()

const entryOf = (line: string): JournalEntry | undefined => {
  const [at, rollout, what, object, from, arrow, to, by, ...who] = line.split(' ')
  if (!at || Number.isNaN(milliseconds(at)) || !rollout || !what || !object) return undefined
  if (arrow !== '->' || by !== 'by') return undefined
  const [writer = '', ...why] = who.join(' ').split(` ${because}`)
  return {
    ...plainAll({
      at,
      rollout,
      what,
      object,
      by: writer,
      ...present({ from: unword(from), to: unword(to), why: why.join(` ${because}`) || undefined }),
    }),
    // Entries are found by it, also where the name of a node looks like a secret.
    ...(/^[-\w./]{1,600}$/.test(object) && { object }),
  }
}

/** One line for each entry, so that kubectl shows a list. */
export const journalText = ({ entries, earlier }: Journal): string =>
  [...(earlier > 0 ? [`# ${earlier} earlier entries are in the log only`] : []), ...entries.map(lineOf)].join('\n')

/** Limits for a journal that may be forged: characters of a line, and of the whole, of which the end is read. */
const journalRead = { line: 12_000, characters: 2 * journalKept.characters }

/** Leaves out lines that cannot be parsed, and the oldest if there are too many: it only bounds times (`on-record.ts`). */
export const parseJournal = (text = ''): Journal => {
  const lines = text.slice(-journalRead.characters).split('\n').slice(-journalKept.entries)
  return {
    entries: lines.filter(({ length }) => length <= journalRead.line).flatMap((line) => entryOf(line) ?? []),
    earlier: Number(/^# (\d{1,9}) earlier/.exec(text)?.[1] ?? 0),
  }
}

/** The newest entries that fit; always the last one. */
export const noted = ({ entries, earlier }: Journal, ...more: JournalEntry[]): Journal => {
  const all = [...entries, ...more]
  let [room, from] = [journalKept.characters, all.length]
  while (from > 0 && all.length - from < journalKept.entries) {
    room -= lineOf(all[from - 1] as JournalEntry).length + 1
    if (room < 0 && from < all.length) break
    from -= 1
  }
  return { entries: all.slice(from), earlier: earlier + from }
}

export const without = ({ entries, earlier }: Journal, entry: JournalEntry): Journal => ({
  entries: entries.filter((it) => it !== entry),
  earlier,
})

/** The last write of each object. An entry that cannot be parsed is left out. */
export const traces = (objects: FelixObject[]): JournalEntry[] =>
  objects
    .flatMap((object): JournalEntry[] => {
      const [mark, at = ''] = [changeMark(object), object.annotations[changedAtKey]]
      if (!mark || Number.isNaN(milliseconds(at))) return []
      const to = object.annotations[rangeAnnotation]
      const what =
        object.annotations[overrideKey] === undefined ? 'promote' : to === undefined ? 'take-back' : 'override'
      const { from, rollout, by, why, noted: first = at } = mark
      const name = objectName(object.name)
      const change = { ...(from && { from }), ...(to !== undefined && { to }) }
      return [{ at: first, rollout, what, object: name, ...change, by, ...(why && { why }) }]
    })
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))

/** The key that identifies a write in the journal and on the object. */
export const identityOf = ({ object, at, what }: JournalEntry): string => `${what} ${object} ${at}`

/**
 * Writes that are recorded on the objects but not yet in the journal. An object contains the time, the writer and the
 * former value of its last write, in the same write, so a crash cannot separate a write from its record. An override that
 * somebody changed says anything.
 */
export const unnoted = (journal: Journal, objects: FelixObject[]): JournalEntry[] => {
  const known = new Set(journal.entries.map(identityOf))
  // Entries that no longer fit into the journal were recorded once.
  const oldest = journal.earlier > 0 ? (journal.entries[0]?.at ?? '') : ''
  const isNew = (entry: JournalEntry) => !known.has(identityOf(entry)) && entry.at > oldest && isReadable(entry)
  return traces(objects.filter((it) => traces([it]).some(isNew) && (it.name === 'default' || isOurs(it))))
}

/** The journal has it when it is read again. Otherwise each step would note it anew, and make no progress. */
const isReadable = (entry: JournalEntry): boolean => {
  const [read] = parseJournal(lineOf(entry)).entries
  return read !== undefined && identityOf(read) === identityOf(entry)
}

/** Every write that can still be read in the cluster, without duplicates: from the Lease's journal and from the objects. */
export const written = ({ entries }: Journal, objects: FelixObject[]): JournalEntry[] => [
  ...new Map([...traces(objects), ...entries].map((entry) => [identityOf(entry), entry])).values(),
]

/** A write as it is shown. */
export interface ShownEntry extends JournalEntry {
  /** Only the object has it: it is not yet in the journal, or did not fit. */
  unnoted?: true
}

/** The same as text, oldest first. */
export const allWrites = (journal: Journal, objects: FelixObject[]): ShownEntry[] => {
  const known = new Set(journal.entries.map(identityOf))
  return written(journal, objects)
    .map((entry): ShownEntry => (known.has(identityOf(entry)) ? entry : { ...entry, unnoted: true }))
    .toSorted((a, b) => milliseconds(a.at) - milliseconds(b.at))
}

/** After this many entries an evaluation records them, long before the Lease is full. */
export const entriesBetweenLooks = 50
