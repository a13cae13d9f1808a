import { ours } from '../../domain/rollout/annotations.ts'
import type { RolloutRecord } from '../../domain/cluster.ts'
import { KubeError } from '../../errors.ts'
import { HeldError } from './hold.ts'
import type { StepTools } from './tools.ts'

/** A write that was noted in the Lease: how the Lease was before, and is now. */
export interface Noted {
  before: RolloutRecord
  now: Pick<RolloutRecord, 'resourceVersion'>
}

/** What a note changes in the Lease. */
const changed = ['written', 'journal', 'touching', 'evidence'] as const

/** The brake, a window or an alarm came between. */
export const isWithheld = (error: unknown): boolean => error instanceof HeldError

/** Nothing was written: it was held, or the server said no. */
export const isRefusal = (error: unknown): boolean =>
  isWithheld(error) ||
  (error instanceof KubeError && error.status !== undefined && error.status >= 400 && error.status < 500)

/**
 * A note without its write would go on record as a write that was made, at a time when nothing was, and later look like one
 * that somebody reverted. It belongs to the step in flight: the brake does not keep it back.
 */
const takeNoteBack = async (
  { kube, unbraked = kube }: Pick<StepTools, 'kube' | 'unbraked'>,
  { before: { annotations }, now: { resourceVersion } }: Noted,
): Promise<void> => {
  const former = Object.fromEntries(changed.map((key) => [ours + key, annotations[ours + key] ?? null]))
  await unbraked.putLease({ resourceVersion, annotations: former })
}

/** Makes the write that was noted. `isVain` says, from the error, that the write was not made: then the note is removed. */
export const afterNote = async (
  tools: StepTools,
  noted: Noted,
  write: () => Promise<unknown>,
  isVain: (error: unknown) => boolean | Promise<boolean> = isRefusal,
): Promise<void> => {
  try {
    await write()
  } catch (error) {
    if (await isVain(error)) await takeNoteBack(tools, noted)
    throw error
  }
}
