import type { KubeClient, LeaseChange } from '../../clients/kube/client.ts'
import type { FelixObject, RolloutRecord } from '../../domain/cluster.ts'
import { valueOf } from '../../domain/read.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { emptyJournal, type JournalEntry, noted, unnoted } from '../../domain/rollout/journal.ts'
import { clockSkew, lease } from '../../domain/rollout/annotations.ts'
import { longestSettle } from '../../domain/rollout/places.ts'
import { rolloutAnnotations, type Rollout } from '../../domain/rollout/rollout.ts'
import { KubeError, readAgain } from '../../errors.ts'
import type { Outcome, StepTools } from './tools.ts'

interface Put {
  giveUp?: boolean
  /** The last writes that are recorded on the objects are added to the journal as well. */
  objects?: FelixObject[]
  note?: Note[]
  entries?: JournalEntry[]
}

export type Note = Pick<JournalEntry, 'what'> & Partial<Pick<JournalEntry, 'object' | 'from' | 'to' | 'why'>>

/**
 * Writes the state of the rollout and its journal, in one write; without a record, a new Lease. `entries`: noted now, and
 * recorded after they are done.
 */
export const putRollout = async (
  tools: StepTools,
  { record }: { record: RolloutRecord | undefined },
  rollout: Rollout,
  { giveUp = false, objects = [], note = [], entries = [] }: Put = {},
): Promise<RolloutRecord> => {
  const done = entriesOf(tools, rollout, note)
  const put = await putSurely(tools.kube, {
    ...(record && { resourceVersion: record.resourceVersion }),
    holder: giveUp ? null : tools.holder,
    renewedAt: tools.now().toISOString(),
    leaseSeconds: tools.leaseSeconds,
    annotations: rolloutAnnotations(withJournal(rollout, { objects, entries: [...entries, ...done] })),
  })
  if (done.length > 0) await tools.record?.(done)
  return put
}

/**
 * Writes the Lease. Where the answer was lost, the Lease is asked: what stands there was written. Otherwise a note of a write that
 * was never tried would look like a write that somebody took back. `annotations`: what must stand there then.
 */
export const putSurely = async (
  kube: KubeClient,
  change: LeaseChange,
  annotations = change.annotations,
): Promise<RolloutRecord> => {
  try {
    return await kube.putLease(change)
  } catch (error) {
    if (!(error instanceof KubeError) || !isLost.has(error.kind)) throw error
    const there = valueOf(await kube.lease())
    if (there && says(there, change, annotations)) return there
    throw error
  }
}

const isLost: ReadonlySet<KubeError['kind']> = new Set(['unreachable', 'unavailable', 'malformed'])

const says = (
  there: RolloutRecord,
  { resourceVersion, holder, renewedAt }: LeaseChange,
  annotations: LeaseChange['annotations'] = {},
): boolean =>
  there.resourceVersion !== resourceVersion &&
  (holder === undefined || (there.holder ?? null) === holder) &&
  (renewedAt === undefined || milliseconds(there.renewedAt ?? '') === milliseconds(renewedAt)) &&
  Object.entries(annotations).every(([key, value]) => (there.annotations[key] ?? null) === value)

export const withJournal = (
  rollout: Rollout,
  { objects = [], entries = [] }: Pick<Put, 'objects' | 'entries'>,
): Rollout => {
  const { journal = emptyJournal } = rollout
  return { ...rollout, journal: noted(journal, ...unnoted(journal, objects), ...entries) }
}

export const entriesOf = (
  { now, holder: by }: Pick<StepTools, 'now' | 'holder'>,
  { id, why }: Rollout,
  note: Note[],
): JournalEntry[] => {
  const about = { at: now().toISOString(), rollout: id, by, ...(why !== undefined && { why }) }
  return note.map((it): JournalEntry => ({ ...about, object: `Lease/${lease.namespace}/${lease.name}`, ...it }))
}

export const heldByOther = (
  { holder, renewedAt, leaseSeconds }: RolloutRecord,
  tools: Pick<StepTools, 'holder' | 'now'>,
): Extract<Outcome, { next: 'wait' }> | undefined => {
  if (!holder || holder === tools.holder || !renewedAt) return undefined
  const gone = tools.now().getTime() - milliseconds(renewedAt)
  // A renewal time in the future is not valid.
  if (!(gone >= -clockSkew)) return undefined
  const left = (leaseSeconds ?? 0) - gone / 1000
  return left > 0
    ? { next: 'wait', seconds: Math.ceil(left), why: `the rollout is being applied by ${holder}` }
    : undefined
}

/** The part of the Lease's duration that has passed since its renewal; 1 if it is not ours. */
const spent = ({ holder, renewedAt }: RolloutRecord, { holder: self, leaseSeconds, now }: StepTools): number =>
  holder === self && renewedAt !== undefined
    ? Math.abs(now().getTime() - milliseconds(renewedAt)) / (leaseSeconds * 1000)
    : 1

/** A step that only waits can renew early; a step that writes renews only when necessary. */
export const isDueForRenewal = (record: RolloutRecord, tools: StepTools): boolean => spent(record, tools) > 1 / 3
export const isOverdue = (record: RolloutRecord, tools: StepTools): boolean => spent(record, tools) > 2 / 3

/** Nobody looked for so long that what is remembered of the nodes says nothing about them now. */
export const isUnwatched = ({ now }: StepTools, { renewedAt }: RolloutRecord, rollout: Rollout): boolean => {
  const gap = (now().getTime() - milliseconds(renewedAt ?? '')) / 1000
  // While nodes are remembered, each look renews the Lease. The deployment evaluates the whole cluster in between.
  const most = longestSettle(rollout) + 90
  return rollout.unwell !== undefined && !(gap >= -clockSkew / 1000 && gap <= most)
}

/** A person may stop the rollout just after it, and before a lost answer is asked for: then the answer counts as lost. */
export const renew = async (
  { kube, holder, leaseSeconds, now }: StepTools,
  { resourceVersion, annotations }: RolloutRecord,
): Promise<RolloutRecord> => {
  const change = { resourceVersion, holder, leaseSeconds, renewedAt: now().toISOString() }
  return putSurely(kube, change, annotations)
}

/**
 * Releases the Lease if we hold it, so that whoever comes next does not wait until it expires. Where somebody wrote it in that
 * moment, again.
 */
export const release = async ({ kube, holder }: Pick<StepTools, 'kube' | 'holder'>, outdated = 0): Promise<void> => {
  const record = valueOf(await kube.lease())
  if (record?.holder !== holder) return
  try {
    await kube.putLease({ resourceVersion: record.resourceVersion, holder: null })
  } catch (error) {
    await release({ kube, holder }, readAgain(error, outdated).outdated)
  }
}
