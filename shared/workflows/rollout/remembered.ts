import type { FelixObject, RolloutRecord } from '../../domain/cluster.ts'
import { objectName } from '../../domain/felix/layer.ts'
import { valueOf } from '../../domain/read.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { clockSkew, ours } from '../../domain/rollout/annotations.ts'
import { type JournalEntry, without } from '../../domain/rollout/journal.ts'
import { confirmed, noting, writtenBefore } from '../../domain/rollout/memory.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import type { StepInput } from '../../domain/rollout/step.ts'
import { needTime } from '../../deadline.ts'
import { KubeError } from '../../errors.ts'
import { entriesOf, type Note, putRollout, putSurely } from './lease.ts'
import { afterNote, isRefusal } from './note.ts'
import type { LeasedRollout, StepTools } from './tools.ts'

/** What the decision was based on. */
export type At = LeasedRollout & { seen: StepInput }

/**
 * Time for a note, a write and its confirmation. After two interruptions between them it would not be known whether
 * the write was made.
 */
export const needTimeToWrite = (): void => needTime(20_000, 'a write to the cluster')

/** A write of the FelixConfiguration `name`, with what the journal says of it. `as`: remembered by another name (`memory.ts`). */
interface RememberedWrite extends Pick<Note, 'what' | 'why'> {
  name: string
  as?: string
  from: string | undefined
  to?: string | undefined
  write: (tools: Noting) => Promise<void>
}

/**
 * The write is noted in the Lease before and confirmed after, because the marks on an object are lost if somebody
 * deletes it.
 */
export const remembered = async (
  tools: StepTools,
  at: At,
  { name, as = name, from, to, write, ...note }: RememberedWrite,
): Promise<void> => {
  const { record, rollout, seen } = at
  const now = tools.now()
  const frozen = { ...tools, now: () => now }
  const object = objectName(name)
  const before = writtenBefore(rollout)(as) === 'perhaps' ? lastEntry(rollout, { object, what: note.what }) : undefined
  // Long after it, the entry would not bound the time of this write (`changeTime`).
  const cutShort = before && now.getTime() - milliseconds(before.at) <= clockSkew ? before : undefined
  const written = noting(rollout, as, seen.objects)
  const about = { ...note, object, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  // The entry is recorded after the write.
  const entries = cutShort ? [] : entriesOf(frozen, rollout, [about])
  const next = cutShort ? rollout : withoutEntry(rollout, before)
  const kept = await putRollout(frozen, at, { ...next, written }, { objects: seen.objects, entries })
  await afterNote(
    tools,
    { before: record, now: kept },
    () => write({ ...frozen, noted: cutShort?.at }),
    async (error) => isRefusal(error) || isUnwritten(tools, at, { name, error }),
  )
  await putWritten(tools, kept, confirmed(written, as))
}

/** Only what is remembered of writes. */
export const putWritten = (
  { kube }: Pick<StepTools, 'kube'>,
  { resourceVersion }: Pick<RolloutRecord, 'resourceVersion'>,
  written: string[],
): Promise<RolloutRecord> =>
  putSurely(kube, { resourceVersion, annotations: { [`${ours}written`]: written.join(' ') || null } })

/** The rollout's last entry about an object, if it is of this kind. */
const lastEntry = (
  { id, journal }: Rollout,
  { object, what }: Pick<JournalEntry, 'object' | 'what'>,
): JournalEntry | undefined => {
  const last = journal?.entries.findLast((it) => it.rollout === id && it.object === object)
  return last?.what === what ? last : undefined
}

const withoutEntry = (rollout: Rollout, entry: JournalEntry | undefined): Rollout =>
  rollout.journal && entry ? { ...rollout, journal: without(rollout.journal, entry) } : rollout

interface NotedOnce {
  note: Note & Pick<JournalEntry, 'object'>
  next: Rollout
  write: () => Promise<unknown>
  isVain?: (error: unknown) => boolean
}

/**
 * A write that leaves no record on an object: it is noted, with the `next` rollout, made, and recorded. If the process dies in
 * between, the next step sees the note and continues. The answer is the Lease with the note.
 */
export const notedOnce = async (
  tools: StepTools,
  { record, rollout, seen: { objects } }: At,
  { note, next, write, isVain }: NotedOnce,
): Promise<RolloutRecord> => {
  const before = lastEntry(rollout, note)
  const entries = before ? [before] : entriesOf(tools, rollout, [note])
  const now = await putRollout(tools, { record }, next, { objects, entries: before ? [] : entries })
  await afterNote(tools, { before: record, now }, write, isVain)
  await tools.record?.(entries)
  return now
}

export type Noting = StepTools & { noted?: string | undefined }

/**
 * The server failed, or its answer was lost: an unchanged object was not written. If it cannot be read either, the
 * result is not known.
 */
const isUnwritten = async (
  { kube }: StepTools,
  { rollout, seen }: At,
  { name, error }: { name: string; error: unknown },
): Promise<boolean> => {
  if (!(error instanceof KubeError)) return false
  const objects = valueOf(await kube.felixConfigurations([rollout.where.api]))?.objects
  const versionIn = (there: FelixObject[]) => there.find((it) => it.name === name)?.resourceVersion
  return objects !== undefined && versionIn(objects) === versionIn(seen.objects)
}
