import type { KubeClient } from '../../clients/kube/client.ts'
import type { RolloutRecord } from '../../domain/cluster.ts'
import type { JournalEntry } from '../../domain/rollout/journal.ts'
import type { Pace, Rollout } from '../../domain/rollout/rollout.ts'

/** The clients and settings that a step uses. */
export interface StepTools {
  kube: KubeClient
  /** For writes that restore a node: only the brake holds them, no window, alarm or permit. Absent: `kube`. */
  rescue?: KubeClient
  /** Not stopped by the brake: if the brake stopped a write, the Lease's note of that write is removed. Absent: `kube`. */
  unbraked?: Pick<KubeClient, 'putLease'>
  /** The holder of the Lease: one name for all functions of a hub, one for each process of the command line. */
  holder: string
  /** The Lease is renewed after a third of this time; if its holder died, others wait for this time. */
  leaseSeconds: number
  /** The Lease cannot make this process faster than its own policy. */
  policy: Pace
  /**
   * The last decision of this process after an evaluation of the whole cluster (`decisionOf`); absent: there was
   * none.
   */
  decided?: string | undefined
  /** Whether the whole cluster is to be looked at before `default` is written. Absent: each wait was followed by a look. */
  looksFirst?: () => boolean
  now: () => Date
  tell: (event: StepEvent) => void
  /** Records a write; absent: only the cluster itself has the record. */
  record?: (entries: JournalEntry[]) => Promise<void>
}

/**
 * An event of a rollout, for the log and the terminal. A write also has the rollout, the writer, the reason, and the
 * values before and after.
 */
export type StepEvent = {
  what: string
  node?: string
  object?: string
  why?: string
  rollout?: string
  by?: string
  /** The reasons for the rollout. */
  cause?: string | undefined
  from?: string | undefined
  to?: string | undefined
  evidence?: string[]
}

/**
 * `outdated`: how often in a row the server refused it, because what it had read was outdated (`readAgain`), or throttled, or did not
 * show calico-node's pods (`askLater`). `throttled`: which of these it was.
 */
export type Outcome =
  | { next: 'now' }
  | { next: 'wait'; seconds: number; why: string; outdated?: number; throttled?: true }
  /**
   * The Lease has a decision of another process, or the cluster changed while a rollout began: an evaluation of the
   * whole cluster (`beginRollout`) must come first.
   */
  | { next: 'look'; why: string; outdated?: number }
  /** `recheckAfterSeconds`: the effect of the last write shows only then. */
  | { next: 'over'; state: Rollout['state'] | 'none'; why: string; recheckAfterSeconds?: number }

/** Seconds; whatever a server asks for. */
export const longestPause = 300

type Wait = Extract<Outcome, { next: 'wait' }>

/**
 * Seconds that a process at a terminal waits before it asks again: short enough to renew the Lease in time. A server that
 * throttles is asked when it said, or else the answer is the same.
 */
export const pauseFor = ({ seconds, throttled }: Wait, leaseSeconds: number): number =>
  Math.min(seconds, throttled ? longestPause : leaseSeconds / 6)

/** `outdated` after that pause: a wait that was cut short to renew the Lease counts as a part of one. */
export const outdatedAfter = (outcome: Outcome, leaseSeconds: number): number | undefined => {
  if (outcome.next !== 'wait' || outcome.outdated === undefined) return undefined
  return outcome.outdated - 1 + (outcome.throttled ? 1 : pauseFor(outcome, leaseSeconds) / outcome.seconds)
}

/** A rollout and the Lease it is stored in. */
export interface LeasedRollout {
  record: RolloutRecord
  rollout: Rollout
}
