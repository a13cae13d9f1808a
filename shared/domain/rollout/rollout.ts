import { plain, plainAll } from '../plain.ts'
import type { Policy } from '../policy/policy.ts'
import { evidenceText, type HaltEvidence } from './halt-evidence.ts'
import { type Journal, journalText } from './journal.ts'
import type { Known } from './marks.ts'
import type { CalicoApi } from '../report.ts'
import { ours } from './annotations.ts'

/**
 * A plan being carried out, as it stands in the annotations of our Lease. It holds what was decided (the target, the
 * pace) and what cannot be read back from the cluster (which pod was to be restarted); where each node stands is read
 * from the cluster itself at every step.
 */
export interface Rollout {
  /** Derived from the cluster and the plan: the same plan on the same cluster has the same id. */
  id: string
  /** `aborting`: our overrides are being taken back, node by node. */
  state: 'running' | 'paused' | 'halted' | 'done' | 'aborting' | 'aborted'
  /** First the range, node by node; then, where there are any, the restarts. */
  phase: 'range' | 'restarts'
  /** Value of the range annotation to be reached; absent: no range is changed. */
  target?: string
  pace: Pace
  where: Where
  /** The node that goes first. */
  canary?: string
  /** Nodes that go after all others: the API server's calls for our own writes end there. */
  last?: string[]
  /** Nodes on which a layer above ours decides: not waited for, not touched. */
  skip: string[]
  /** Fields of `spec` that the API server adds to every object it stores, so an override must carry them too. */
  defaulted: string[]
  /** calico-node pods to be restarted, by name; a name that is gone has been. */
  restart: string[]
  /** Nodes whose pod was deleted and that are not yet known to be well again. */
  touching: { node: string; pod: string; at: string }[]
  startedAt: string
  finishedAt?: string
  /** What made it necessary: codes of findings, or words. */
  why?: string
  /** Why it halted, for people. */
  reason?: string
  /** After a halt: the nodes off which our overrides are still to be taken, in that order. */
  rollback?: string[]
  /** What was seen of the node that did not come back. */
  evidence?: HaltEvidence
  /** Nodes by availability zone, as the rollout found them; absent: nothing is to be kept apart by zone. */
  zones?: Record<string, string[]>
  /** Which objects were given the target: what vanishes is not taken for what is still to be done (`memory.ts`). */
  written?: string[]
  takenBack?: TakenBack
  /** A person resumed it with `--force`: one node at a time, whatever the policy allows. */
  careful?: true
  /** What was written, of this rollout and earlier ones. Absent from what is to be written: it stays as it is. */
  journal?: Journal
}

export type Pace = Pick<
  Policy,
  'strategy' | 'maxUnavailable' | 'canarySeconds' | 'settleSeconds' | 'nodeDeadlineSeconds'
>

/** What a step must know to find its way without looking at everything again. */
export interface Where {
  api: CalicoApi
  /** Of ClusterInformation or Installation, for images whose tag is not a version. */
  calico?: string
  /** `spec.kubeNodePortRanges` may be written; absent: the annotation alone, and a field that is there is taken out. */
  spec?: boolean
  /** How the service range was known from which the target follows. */
  known?: Known
}

/** What somebody took back in the middle of a rollout: there nothing is written again the same day. */
export interface TakenBack {
  /** `FelixConfiguration/node.n1` */
  object: string
  /** RFC 3339: when that was seen. */
  at: string
  /** The field manager that wrote last, where the object still exists. */
  by?: string
}

/** All keys, `null` where there is no value, so that a merge patch also takes away what a former rollout left. */
export const rolloutAnnotations = (rollout: Rollout): Record<string, string | null> => ({
  [`${ours}rollout`]: rollout.id,
  [`${ours}state`]: rollout.state,
  [`${ours}phase`]: rollout.phase,
  [`${ours}pace`]: JSON.stringify(rollout.pace),
  [`${ours}where`]: JSON.stringify(rollout.where),
  [`${ours}started-at`]: rollout.startedAt,
  [`${ours}target`]: rollout.target ?? null,
  [`${ours}canary`]: rollout.canary ?? null,
  [`${ours}last`]: rollout.last?.join(' ') || null,
  [`${ours}skip`]: rollout.skip.join(' ') || null,
  [`${ours}defaulted`]: rollout.defaulted.join(' ') || null,
  [`${ours}restart`]: rollout.restart.join(' ') || null,
  [`${ours}touching`]: rollout.touching.map(({ node, pod, at }) => `${node}=${pod}=${at}`).join(' ') || null,
  [`${ours}finished-at`]: rollout.finishedAt ?? null,
  [`${ours}why`]: rollout.why ?? null,
  [`${ours}reason`]: rollout.reason === undefined ? null : plain(rollout.reason),
  [`${ours}rollback`]: rollout.rollback?.join(' ') ?? null,
  [`${ours}evidence`]: rollout.evidence ? evidenceText(plainAll(rollout.evidence)) : null,
  [`${ours}zones`]: rollout.zones ? JSON.stringify(rollout.zones) : null,
  [`${ours}written`]: rollout.written?.join(' ') || null,
  [`${ours}taken-back`]: rollout.takenBack ? JSON.stringify(plainAll(rollout.takenBack)) : null,
  [`${ours}careful`]: rollout.careful ? 'true' : null,
  ...(rollout.journal && { [`${ours}journal`]: journalText(rollout.journal) }),
})
