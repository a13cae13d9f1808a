import type { FelixObject } from '../../domain/cluster.ts'
import { objectName } from '../../domain/felix/layer.ts'
import { valueOf } from '../../domain/read.ts'
import { ours } from '../../domain/rollout/annotations.ts'
import { confirmed, noting, writtenBefore } from '../../domain/rollout/memory.ts'
import type { StepInput } from '../../domain/rollout/step.ts'
import { needTime } from '../../deadline.ts'
import { KubeError } from '../../errors.ts'
import { entriesOf, type Note, putRollout, putSurely } from './lease.ts'
import { isRefusal, takeNoteBack } from './note.ts'
import type { LeasedRollout, StepTools } from './tools.ts'

/** What the decision was based on. */
export type At = LeasedRollout & { seen: StepInput }

/**
 * Time for a note, a write and its confirmation. After two interruptions between them it would not be known whether
 * the write was made.
 */
export const needTimeToWrite = (): void => needTime(20_000, 'a write to the cluster')

/** A write of the FelixConfiguration `name`, with what the journal says of it. */
interface RememberedWrite extends Pick<Note, 'what' | 'why'> {
  name: string
  from: string | undefined
  write: (tools: Noting) => Promise<void>
}

/**
 * The write is noted in the Lease before and confirmed after, because the marks on an object are lost if somebody
 * deletes it.
 */
export const remembered = async (
  tools: StepTools,
  at: At,
  { name, from, write, ...note }: RememberedWrite,
): Promise<void> => {
  const { record, rollout, seen } = at
  const now = tools.now()
  const frozen = { ...tools, now: () => now }
  const object = objectName(name)
  const before = rollout.journal?.entries.findLast((it) => it.rollout === rollout.id && it.object === object)
  const cutShort = writtenBefore(rollout)(name) === 'perhaps' && before?.what === note.what ? before : undefined
  const written = noting(rollout, name, seen.objects)
  const { target: to } = rollout
  const about = { ...note, object, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }
  // The entry is recorded after the write.
  const entries = cutShort ? [] : entriesOf(frozen, rollout, [about])
  const kept = await putRollout(frozen, at, { ...rollout, written }, { objects: seen.objects, entries })
  try {
    await write({ ...frozen, noted: cutShort?.at })
  } catch (error) {
    if (isRefusal(error) || (await isUnwritten(tools, at, { name, error })))
      await takeNoteBack(tools, { before: record, now: kept, keys: ['written', 'journal'] })
    throw error
  }
  const { resourceVersion } = kept
  await putSurely(tools.kube, {
    resourceVersion,
    annotations: { [`${ours}written`]: confirmed(written, name).join(' ') },
  })
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
