import type { ClusterState } from '../../domain/cluster.ts'
import { exceptionsFor, forbidsBy } from '../../domain/policy/exception.ts'
import type { Permit } from '../../domain/policy/fleet-budget.ts'
import { failureOf, valueOf } from '../../domain/read.ts'
import type { Report } from '../../domain/report.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import { parseRollout } from '../../domain/rollout/parse.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { clusterKey, type ClusterRef, type Evaluation } from '../../messages.ts'
import type { EvaluateTools } from './tools.ts'
import { budgetSpent, type Hold, holdFor } from '../rollout/hold.ts'

/** What follows from a look. */
export interface Next {
  send?: { begin: boolean; decided?: string; permit?: Permit }
  /** Why what is to be done is not done yet, for people. */
  waits?: string
  /** Nothing is being changed here: what the cluster may hold of the fleet budget is given back. */
  leaves?: boolean
  /** Look again when this may be over. */
  again?: Hold
}

interface Observed {
  state: ClusterState
  report: Report
  /** A rollout could not begin for want of access. */
  refused: boolean
}

/** Seconds without a renewal of the Lease after which a running rollout is taken to have lost its message. */
export const silentSeconds = 600

/** A person who aborts a rollout does not want the next event to begin it again. */
const restSeconds = 86_400

/**
 * Begins a rollout, or lets one that waits go on. A look that has nothing to do with a rollout leaves a live one alone,
 * so that many events never make it many chains of messages.
 */
export const decideNext = async (tools: EvaluateTools, message: Evaluation, looked: Observed): Promise<Next> => {
  const { state, report } = looked
  const { changes = [], blockedBy = [] } = report.plan ?? {}
  const record = valueOf(state.rollout)
  const parsed = parseRollout(record, tools.now().getTime())
  if (parsed.is === 'invalid') return { leaves: true }
  const rollout = parsed.is === 'rollout' ? parsed.rollout : undefined
  const since = (at = '1970-01-01T00:00:00Z') => (tools.now().getTime() - milliseconds(at)) / 1000
  const isContinued = message.reason === 'rollout' || since(record?.renewedAt) > silentSeconds
  // A person resumed it, or interrupted it at a terminal.
  const isNobodys = !record?.holder
  if (failureOf(state.rollout)) return {}
  switch (rollout?.state) {
    case 'aborting':
      return isContinued || isNobodys ? { send: { begin: false } } : {}
    case 'running':
      if (!(isContinued || isNobodys) || blockedBy.length > 0 || isExcepted(tools, rollout, state)) return {}
      return { send: await withPermit(tools, message, withDecision(message, changes.length > 0)) }
    case 'paused':
      return { leaves: true }
    case 'halted':
      // What rescues its nodes was cut short, or waits.
      return rollout.rollback && (isContinued || since(record?.renewedAt) > 60)
        ? { send: { begin: false } }
        : { leaves: true }
    case 'done':
    case 'aborted':
    case undefined: {
      if (changes.length === 0 || blockedBy.length > 0) return { leaves: true }
      const rests = restOf(rollout, state)
      return rests !== undefined && since(rests.from) < restSeconds
        ? { leaves: true, waits: rests.why }
        : begin(tools, message, looked)
    }
  }
}

/** Without a decision of the deployment's own to go by, what is to be done is decided anew. */
const withDecision = ({ decided }: Evaluation, changes: boolean) =>
  decided === undefined ? { begin: true } : { begin: changes, decided }

/** None after an abort that left overrides of ours: then somebody else says so. */
const restOf = (rollout: Rollout | undefined, { felix }: ClusterState): { from: string; why: string } | undefined => {
  const from = rollout?.state === 'aborted' ? rollout.finishedAt : undefined
  if (from === undefined || valueOf(felix)?.objects.some(isOurs)) return undefined
  const until = new Date(milliseconds(from) + restSeconds * 1000).toISOString()
  return { from, why: `a rollout was aborted; none begins before ${until}` }
}

/** Tried in vain, it is tried again by the next sweep, not by every event. */
const begin = async (tools: EvaluateTools, message: Evaluation, { refused }: Observed): Promise<Next> => {
  const { reason } = message
  const hold = await holdFor(tools)
  if (hold) return { leaves: true, again: hold, waits: hold.why }
  if (reason === 'refused' || (refused && reason !== 'sweep')) return { leaves: true }
  const send = await withPermit(tools, message, { begin: true })
  return tools.permits && !send.permit ? { waits: budgetSpent } : { send }
}

/** Without a permit a running rollout still watches over the nodes it has touched. */
const withPermit = async (
  { permits }: EvaluateTools,
  { cluster, incarnation }: Subject,
  send: { begin: boolean; decided?: string },
) => {
  const permit = await permits?.take(clusterKey(cluster), incarnation)
  return { ...send, ...(permit && { permit }) }
}

const isExcepted = ({ policy }: EvaluateTools, { phase }: Rollout, { cluster, observedAt }: ClusterState): boolean =>
  forbidsBy(exceptionsFor(policy.exceptions, cluster, Date.parse(observedAt)))[phase]

/** Which cluster, of all that were ever made under the name. */
type Subject = Pick<Evaluation, 'cluster' | 'incarnation'>

export const continueRollout = async (
  tools: EvaluateTools,
  { cluster, incarnation }: Subject,
  { next, dedupId }: { next: Next; dedupId: string },
): Promise<void> => {
  const { send, leaves, again, waits } = next
  const subject = { cluster, ...(incarnation && { incarnation }) }
  if (waits) tools.log('waits', { cluster: clusterKey(cluster), why: waits })
  if (send) await tools.queues.sendRolloutStep({ schemaVersion: 1, ...subject, ...send }, dedupId)
  if (leaves) await giveBack(tools, cluster)
  if (again) await scheduleLook(tools, subject, again)
}

/**
 * What the cluster may hold of the fleet budget, and its place among those that wait; whose turn has come is looked at.
 * `incarnation`: only what that one holds, since another of its name may be there by now.
 */
export const giveBack = async (
  tools: Pick<EvaluateTools, 'permits' | 'queues'>,
  cluster: ClusterRef,
  incarnation?: string,
): Promise<void> => {
  for (const key of (await tools.permits?.leave(clusterKey(cluster), incarnation)) ?? []) await wake(tools, key)
}

const wake = async ({ queues }: Pick<EvaluateTools, 'queues'>, key: string): Promise<void> => {
  const [account = '', region = '', name = ''] = key.split('/')
  const cause = 'the fleet budget has room'
  await queues.sendEvaluation({ schemaVersion: 1, cluster: { account, region, name }, reason: 'follow', cause })
}

export const recheckSeconds = 900
/** What is farther off is left to the sweep. */
const farOffSeconds = 86_400

/**
 * One look a quarter of an hour, and one when the window opens, however many events there are meanwhile: who claims it
 * first sends it. A look that was lost is sent by the next evaluation.
 */
const scheduleLook = async ({ records, queues, now }: EvaluateTools, subject: Subject, { seconds, why }: Hold) => {
  if (seconds > farOffSeconds) return
  const delaySeconds = Math.min(seconds, recheckSeconds)
  const slot = Math.floor(now().getTime() / 1000 / recheckSeconds) + 1
  const { cluster, incarnation = '' } = subject
  const which = seconds < recheckSeconds ? `at ${Math.floor(now().getTime() / 1000 + seconds)}` : slot
  const claim = { cluster: clusterKey(cluster), hash: `look ${incarnation} ${which}`.slice(0, 200) }
  if ((await records.claim(claim, now().toISOString())) !== 'claimed') return
  await queues.sendEvaluation(
    { schemaVersion: 1, ...subject, reason: 'follow', cause: why.slice(0, 300) },
    { delaySeconds },
  )
  await records.confirm(claim, now().toISOString())
}
