import { plain, plainAll, shortened } from '../plain.ts'
import type { Policy } from '../policy/policy.ts'
import { storedEvidence, type HaltEvidence } from './halt-evidence.ts'
import { type Journal, journalText } from './journal.ts'
import type { Known } from './marks.ts'
import type { PortRange } from '../ports.ts'
import type { CalicoApi } from '../report.ts'
import { ours } from './annotations.ts'

/**
 * A rollout, as stored in the annotations of our Lease. It contains the decision (the target, the pace) and facts
 * that cannot be read from the cluster (which pod was to be restarted). The state of each node is read from the
 * cluster at every step.
 */
export interface Rollout {
  /** Derived from the cluster and the plan: the same plan on the same cluster has the same id. */
  id: string
  /** `aborting`: our overrides are being removed, node by node. */
  state: 'running' | 'paused' | 'halted' | 'done' | 'aborting' | 'aborted'
  /** First the range, node by node; then the restarts, if there are any. */
  phase: 'range' | 'restarts'
  /** The target value of the range annotation; absent: no range is changed. */
  target?: string
  pace: Pace
  where: Where
  /** The node that goes first. */
  canary?: string
  /** Nodes that are changed after all others, because they run webhooks for our own writes. */
  last?: string[]
  /** Nodes on which a higher layer decides: the rollout neither waits for them nor touches them. */
  skip: string[]
  /** Fields of `spec` that the API server adds to every object it stores, so an override must contain them too. */
  defaulted: string[]
  /** Names of calico-node pods to be restarted; a pod that no longer exists has been restarted. */
  restart: string[]
  /** Nodes whose pod was deleted and that are not yet known to be well again. */
  touching: { node: string; pod: string; at: string }[]
  startedAt: string
  finishedAt?: string
  /** Why it began: codes of findings, or words. */
  why?: string
  /** Why it halted, for people. */
  reason?: string
  /** After a halt: the nodes whose overrides are still to be removed, in this order. */
  rollback?: string[]
  /** Evidence about the node that did not become Ready. */
  evidence?: HaltEvidence
  /** Nodes by availability zone, as found by the rollout; absent: the order ignores zones. */
  zones?: Record<string, string[]>
  /**
   * The objects that got the target, so that a deleted object is not mistaken for one that is still to be written
   * (`memory.ts`).
   */
  written?: string[]
  reverted?: Reverted
  /** Touched nodes that have not stayed well, and since when (`unwell.ts`). */
  unwell?: { node: string; since: string }[]
  /** Nodes with our override and without a pod, when a person resumed it: the DaemonSet wants none there, and it waits for none. */
  apart?: string[]
  /** A person resumed it with `--force`: one node at a time, whatever the policy allows. */
  careful?: true
  /** The writes of this rollout and of earlier ones. Absent in a write: not changed. */
  journal?: Journal
}

export type Pace = Pick<
  Policy,
  'strategy' | 'maxUnavailable' | 'canarySeconds' | 'settleSeconds' | 'nodeDeadlineSeconds'
>

/** A halt that has still to give back what was there before. */
export const hasRescue = (rollout: Rollout | undefined): rollout is Rollout & { rollback: string[] } =>
  rollout?.state === 'halted' && rollout.rollback !== undefined

/** It has begun and not ended: it may be paused or halted. */
export const isUnfinished = (
  rollout: Rollout | undefined,
): rollout is Rollout & { state: Exclude<Rollout['state'], 'done' | 'aborted'> } =>
  rollout !== undefined && rollout.state !== 'done' && rollout.state !== 'aborted'

/** It changes nodes, or gives them back. */
export const takesSteps = (rollout: Pick<Rollout, 'state'> | undefined): boolean =>
  rollout?.state === 'running' || rollout?.state === 'aborting'

/** Our overrides are removed: it is aborted, or their reason no longer exists. */
export const takesBack = ({ state, phase, target }: Rollout): boolean =>
  state === 'aborting' || (phase === 'range' && target === undefined)

/** Facts that a step needs and does not read again. */
export interface Where {
  api: CalicoApi
  /** From ClusterInformation or Installation, for images whose tag is not a version. */
  calico?: string
  /**
   * `spec.kubeNodePortRanges` may be written; absent: only the annotation is written, and an existing field is
   * removed.
   */
  spec?: boolean
  /** The source of the service range that led to the target. */
  known?: Known
  /** The service range if a person gave it, for commands that continue the rollout. */
  given?: PortRange
}

/** A value that somebody reverted during the rollout: it is not written there again on the same day. */
export interface Reverted {
  /** `FelixConfiguration/node.n1` */
  object: string
  /** RFC 3339: when that was seen. */
  at: string
  /** The field manager that wrote last, where the object still exists. */
  by?: string
}

/** Characters: a reason may quote a range, which may be so long that the Lease could not be written. */
const reasonKept = 1_900

/** All keys, `null` for absent values, so that a merge patch also removes keys of an earlier rollout. */
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
  [`${ours}reason`]: rollout.reason === undefined ? null : plain(shortened(rollout.reason, reasonKept)),
  [`${ours}rollback`]: rollout.rollback?.join(' ') ?? null,
  [`${ours}evidence`]: rollout.evidence ? storedEvidence(rollout.evidence) : null,
  [`${ours}zones`]: rollout.zones ? JSON.stringify(rollout.zones) : null,
  [`${ours}written`]: rollout.written?.join(' ') || null,
  [`${ours}taken-back`]: rollout.reverted ? JSON.stringify(plainAll(rollout.reverted)) : null,
  [`${ours}unwell`]: rollout.unwell?.map(({ node, since }) => `${node}=${since}`).join(' ') || null,
  [`${ours}apart`]: rollout.apart?.join(' ') || null,
  [`${ours}careful`]: rollout.careful ? 'true' : null,
  ...(rollout.journal && { [`${ours}journal`]: journalText(rollout.journal) }),
})
