import type { RolloutRecord } from '../../shared/domain/cluster.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import type { Report } from '../../shared/domain/report.ts'
import { ours } from '../../shared/domain/rollout/annotations.ts'
import { cameBack } from '../../shared/domain/rollout/halt-evidence.ts'
import { impactOf } from '../../shared/domain/rollout/halt-finding.ts'
import { allWrites, parseJournal, type ShownEntry } from '../../shared/domain/rollout/journal.ts'
import { parseRollout } from '../../shared/domain/rollout/parse.ts'
import { progressOf, type RolloutProgress } from '../../shared/domain/rollout/progress.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { stepInput, withNodes } from '../../shared/domain/rollout/step-input.ts'
import { heldByOther } from '../../shared/workflows/rollout/lease.ts'
import { notUnderstood } from '../../shared/workflows/rollout/step.ts'
import { Failure } from '../failure.ts'
import type { AssessedTarget } from '../target/target.ts'

/** The state of a rollout, from one observation of the whole cluster. */
export interface RolloutStatus {
  lease?: RolloutRecord
  rollout?: Rollout
  /** The process that applies it now: the holder of a valid Lease. */
  carriedOutBy?: string
  /** Absent if reads of the cluster failed. */
  progress?: RolloutProgress
  blockedBy: string[]
  /** Our remaining objects. */
  objects: { name: string; annotations: Record<string, string> }[]
  /** Every write that can still be read; `earlier`: the number of writes that no longer fit into the journal. */
  journal: { entries: ShownEntry[]; earlier: number }
  /** Whether the halted node is well again since our override was removed. */
  cameBack?: 'yes' | 'no'
  /** What users notice of a halt. */
  impact?: string
  report: Report
}

/** Throws `Failure` if the Lease cannot be read or parsed; `next`: the command to run then. */
export const rolloutStatus = ({ state, report, plan }: AssessedTarget, next: string): RolloutStatus => {
  const failure = failureOf(state.rollout)
  if (failure) throw new Failure(`The Lease kube-system/calico-ipvs-sync cannot be read: ${failure.message}`, next)
  const lease = valueOf(state.rollout)
  const parsed = parseRollout(lease, Date.parse(state.observedAt))
  if (parsed.is === 'invalid') throw new Failure(notUnderstood(parsed.why), next)
  const rollout = parsed.is === 'rollout' ? parsed.rollout : undefined
  const sets = new Set(valueOf(state.daemonSets)?.flatMap(({ role, uid }) => (role === 'calico-node' ? uid : [])))
  const felix = valueOf(state.felix)
  const pods = valueOf(state.pods)?.filter((pod) => pod.role === 'calico-node' && sets.has(pod.daemonSet ?? ''))
  const isSeen = rollout && felix && pods
  const journal = parseJournal(lease?.annotations[`${ours}journal`])
  const back = rollout?.evidence && pods && cameBack(rollout.evidence, pods)
  const marked = (felix?.objects ?? []).filter(({ annotations }) => Object.keys(annotations).some(isOurs))
  return {
    ...(back && { cameBack: back }),
    ...(rollout?.state === 'halted' && rollout.evidence && pods && { impact: impactOf(rollout.evidence, pods) }),
    ...(rollout && { rollout }),
    ...(lease && { lease }),
    ...(lease?.holder &&
      heldByOther(lease, { holder: '', now: () => new Date(state.observedAt) }) && {
        carriedOutBy: lease.holder,
      }),
    ...(isSeen && {
      progress: progressOf(
        rollout,
        withNodes(stepInput(felix, pods, rollout.where), valueOf(state.nodes) ?? []),
        state.observedAt,
      ),
    }),
    blockedBy: plan().blockedBy,
    objects: marked.map(({ name, annotations }) => ({ name, annotations: annotations })),
    journal: { ...journal, entries: allWrites(journal, felix?.objects ?? []) },
    report,
  }
}

const isOurs = (key: string): boolean => key.startsWith(ours)
