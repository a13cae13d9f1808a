import type { KubeClient } from '../../clients/kube/client.ts'
import type { RolloutRecord } from '../../domain/cluster.ts'
import type { Entry } from '../../domain/rollout/journal.ts'
import type { Pace, Rollout } from '../../domain/rollout/rollout.ts'

/** The clients and settings that a step uses. */
export interface StepTools {
  kube: KubeClient
  /** For what rescues a node: no window, alarm or permit holds it, the brake alone does. Absent: `kube`. */
  rescue?: KubeClient
  /** Ends the step in flight: where the brake kept back a write, the note of it is taken back. Absent: `kube`. */
  unbraked?: Pick<KubeClient, 'putLease'>
  /** The holder of the Lease: one name for all Lambdas of a hub, one for each process of the command line. */
  holder: string
  /** The Lease is renewed in a third of it; a holder that died is waited out for this long. */
  leaseSeconds: number
  /** The Lease never makes this party faster than its own policy. */
  policy: Pace
  /** What this party decided when it last looked at the whole cluster (`decisionOf`); absent: it has not looked. */
  decided?: string | undefined
  now: () => Date
  tell: (event: StepEvent) => void
  /** Records what was just done; absent: only the cluster itself keeps it. */
  record?: (entries: Entry[]) => Promise<void>
}

/**
 * What was done, for the log and for the terminal. A write also says in which rollout, by whom, for which cause, and
 * from which value to which.
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

export type Outcome =
  | { next: 'now' }
  | { next: 'wait'; seconds: number; why: string }
  /** The Lease says what this party did not decide: it acts only after a look at the whole cluster (`beginRollout`). */
  | { next: 'look'; why: string }
  /** `recheckAfterSeconds`: what was done last shows only then. */
  | { next: 'over'; state: Rollout['state'] | 'none'; why: string; recheckAfterSeconds?: number }

/** A rollout and the Lease it is stored in. */
export interface LeasedRollout {
  record: RolloutRecord
  rollout: Rollout
}
