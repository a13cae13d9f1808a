import type { ClusterState, PodState } from '../../domain/cluster.ts'
import { wasRemoved } from '../../domain/facts/applicability.ts'
import { exceptionsFor, forbidsBy } from '../../domain/policy/exception.ts'
import { carriedSeconds, type Leaving } from '../../domain/policy/fleet-budget.ts'
import { failureOf, valueOf } from '../../domain/read.ts'
import type { Report } from '../../domain/report.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { isMarked } from '../../domain/rollout/marks.ts'
import { parseRollout, rolloutIn } from '../../domain/rollout/parse.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import { restsUntil } from '../../domain/rollout/rest.ts'
import { type Rollout, takesBack, takesSteps } from '../../domain/rollout/rollout.ts'
import { isWatched } from '../../domain/rollout/watched.ts'
import { clusterKey, type ClusterRef, type Evaluation, type RolloutStep } from '../../messages.ts'
import { deploymentHolder, type EvaluateTools } from './tools.ts'
import { budgetSpent, type Hold, holdFor } from '../rollout/hold.ts'
import { heldByOther } from '../rollout/lease.ts'

/** The actions after an evaluation. */
export interface Next {
  send?: Pick<RolloutStep, 'begin' | 'decided' | 'permit' | 'changing'>
  /** Why the change is not made yet, for people. */
  waits?: string
  /** Nothing is being changed here: the cluster's permit of the fleet budget is released. */
  leaves?: boolean
  /** Room in the fleet budget that woke the cluster is for the next one; a permit or a place in its queue that it has is kept. */
  passes?: boolean
  /** Evaluate again when this may be over. */
  again?: Hold & Pick<Evaluation, 'attempt'>
}

interface Observed {
  state: ClusterState
  report: Report
  /** A rollout could not begin because access was denied. */
  refused: boolean
}

/** Seconds without a renewal of the Lease after which the message of a running rollout is considered lost. */
export const silentSeconds = 600

/**
 * Begins a rollout, or continues a waiting one. An evaluation for another reason does not continue a live rollout, so
 * that many events do not create several chains of messages.
 */
export const decideNext = async (tools: EvaluateTools, message: Evaluation, looked: Observed): Promise<Next> => {
  const { state, report } = looked
  const { changes = [], blockedBy = [] } = report.plan ?? {}
  const record = valueOf(state.rollout)
  const parsed = parseRollout(record, tools.now().getTime())
  if (parsed.is === 'invalid') return { leaves: true }
  const rollout = parsed.is === 'rollout' ? parsed.rollout : undefined
  const since = (at = '1970-01-01T00:00:00Z') => (tools.now().getTime() - milliseconds(at)) / 1000
  // Whoever holds the Lease applies it: a step would only wait for that, beside those that wait already.
  const isApplied = record && heldByOther(record, { holder: deploymentHolder, now: tools.now }) !== undefined
  const isContinued = message.reason === 'rollout' || (!isApplied && since(record?.renewedAt) > silentSeconds)
  // A person resumed it, or interrupted it at a terminal.
  const isNobodys = !record?.holder
  const whileRemoved: Next = {
    leaves: true,
    again: { seconds: recheckSeconds, why: 'calico-node was removed', attempt: passingLooks },
  }
  // Whose turn it is and cannot be seen lets the next one have it.
  if (failureOf(state.rollout)) return message.permit ? { leaves: true } : { passes: hasTurn(message) }
  switch (rollout?.state) {
    case 'aborting':
      // A step that became a dead letter is not its end.
      if (message.reason === 'refused') return { leaves: true }
      // Its end gives the permit back.
      return isContinued || isNobodys
        ? { send: await abortWithPermit(tools, message) }
        : { passes: message.reason === 'follow' }
    case 'running':
      // A refusal that leads to the next try leads to the next refusal.
      if (message.reason === 'refused') return { leaves: true }
      // The deployment's own messages take the room within minutes: a cluster in the middle of a change is not overtaken.
      if (!(isContinued || isNobodys))
        return { passes: message.reason === 'follow' && record?.holder !== deploymentHolder }
      if (wasRemoved(state)) return whileRemoved
      if (report.verdict === 'changing') return { send: withoutTouching(message) }
      if (isExcepted(tools, rollout, state)) return { leaves: true }
      if (blockedBy.length === 0)
        return continueRunning(tools, message, changes.length > 0 || rollout.phase === 'range')
      return !takesBack(rollout) && goesOn(tools, message, state)
        ? { send: withoutTouching(message) }
        : { leaves: true }
    case 'paused':
      // The step gives up the Lease, which needs no permit: whoever resumes or aborts it need not wait until it expires.
      return {
        leaves: true,
        ...(message.reason === 'rollout' && record?.holder === deploymentHolder && { send: { begin: false } }),
      }
    case 'halted':
      if (message.reason === 'refused') return { leaves: true }
      if (rollout.rollback && wasRemoved(state)) return whileRemoved
      // The rollback of its nodes was interrupted, perhaps at a terminal. While it waits, its steps renew the Lease.
      return rollout.rollback && (isContinued || !(isApplied || record?.holder === deploymentHolder))
        ? { send: { begin: false } }
        : { leaves: true }
    case 'done':
    case 'aborted':
    case undefined: {
      if (changes.length === 0 || blockedBy.length > 0) return { leaves: true }
      const until = restsUntil(rollout, state)
      return until > tools.now().getTime()
        ? { leaves: true, waits: `a rollout was aborted; none begins before ${new Date(until).toISOString()}` }
        : begin(tools, message, looked)
    }
  }
}

/** The fleet budget woke the cluster, or a step of it had a permit. */
const hasTurn = ({ reason, permit }: Evaluation): boolean =>
  permit !== undefined || (reason !== 'event' && reason !== 'sweep')

/**
 * While the cluster changes, or a finding blocks the rollout, a rollout with a node in flight continues only to observe that node
 * and to restore it: the change may be waiting for the very node that the rollout broke. A running rollout continues by the
 * message that has its decision.
 */
export const goesOn = ({ policy, now }: EvaluateTools, message: Evaluation, state: ClusterState): boolean => {
  const rollout = rolloutIn(state)
  if (!rollout || !takesSteps(rollout)) return false
  if (rollout.state === 'running' && (message.reason !== 'rollout' || message.decided === undefined)) return false
  const objects = valueOf(state.felix)?.objects ?? []
  const ours = new Set(objects.filter(isMarked).map(overriddenNode))
  const isUnwell = ({ role, ready, node }: PodState) => role === 'calico-node' && !ready && ours.has(node)
  return isWatched({ rollout, now: now().getTime() }, objects, policy) || (valueOf(state.pods)?.some(isUnwell) ?? false)
}

/** Its permit is neither needed nor renewed. */
const withoutTouching = ({ decided, permit }: Evaluation): NonNullable<Next['send']> => ({
  begin: false,
  changing: true,
  ...(decided !== undefined && { decided }),
  ...(permit && { permit }),
})

/** Its abort renews the permit of a rollout, and goes on without: also where it expired and another cluster has the place. */
const abortWithPermit = async (tools: EvaluateTools, message: Evaluation) => {
  const { permit } = message
  return permit ? { permit, ...(await withPermit(tools, message, { begin: false })) } : { begin: false }
}

/**
 * Without the messages of the rollout there is no decision, and without a decision nothing is done while a window, an
 * alarm or the fleet budget holds it: then each event would only add one more chain of messages that wait.
 */
const continueRunning = async (tools: EvaluateTools, message: Evaluation, changes: boolean): Promise<Next> => {
  const isCarriedOut = message.reason === 'rollout'
  const hold = isCarriedOut ? undefined : await holdFor(tools)
  if (hold) return { again: hold }
  const send = await withPermit(tools, message, withDecision(message, changes))
  return isCarriedOut ? { send } : unlessSpent(tools, send)
}

/** The fleet budget asks for an evaluation when it has room. */
const unlessSpent = ({ permits }: EvaluateTools, send: NonNullable<Next['send']>): Next =>
  permits && !send.permit ? { waits: budgetSpent } : { send }

/** Without a recorded decision of the deployment, the rollout is decided again. */
const withDecision = ({ decided }: Evaluation, changes: boolean) =>
  decided === undefined ? { begin: true } : { begin: changes, decided }

/** After a failure, the next sweep tries again, not every event. */
const begin = async (tools: EvaluateTools, message: Evaluation, { refused }: Observed): Promise<Next> => {
  const { reason } = message
  const hold = await holdFor(tools)
  if (hold) return { leaves: true, again: hold, waits: hold.why }
  if (reason === 'refused' || (refused && reason !== 'sweep')) return { leaves: true }
  return unlessSpent(tools, await withPermit(tools, message, { begin: true }))
}

/** Without a permit a running rollout still observes the nodes that it has touched. */
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

/** The cluster, among all that have existed under the name. */
type Subject = Pick<Evaluation, 'cluster' | 'incarnation'>

export interface Going {
  next: Next
  dedupId: string
  /** As `idleSince` answers. */
  idleSince: number
}

/**
 * No message is under way that got the permit before this time (milliseconds): it was refused, the rollout has ended
 * since, or such a message may not use it any more. Another evaluation may have sent one after the cluster was observed.
 */
export const idleSince = (state: Pick<ClusterState, 'rollout' | 'observedAt'>, { permit }: Evaluation): number => {
  const { rollout: lease, observedAt } = state
  // A rollout may be under way there, with messages of its own.
  if (failureOf(lease) && !permit) return 0
  const rollout = rolloutIn(state)
  const endedAt = rollout && !takesSteps(rollout) ? milliseconds(valueOf(lease)?.renewedAt ?? '') || 0 : 0
  const askedBefore = Math.max(permit ? Date.parse(permit.until) : 0, Date.parse(observedAt)) - carriedSeconds * 1000
  return Math.min(Date.parse(observedAt), Math.max(endedAt, askedBefore))
}

/**
 * That one message was refused says nothing of others that carry out the rollout and may use the permit: the message comes again
 * when none may any more, and until then it has no permit to give back.
 */
export const withoutShared = async (
  { queues }: EvaluateTools,
  message: Evaluation,
  state: ClusterState,
): Promise<Evaluation> => {
  const { permit, ...rest } = message
  const seconds = permit ? Math.ceil((Date.parse(permit.until) - Date.parse(state.observedAt)) / 1000) : 0
  const isCarriedOut = takesSteps(rolloutIn(state)) && valueOf(state.rollout)?.holder === deploymentHolder
  if (message.reason !== 'refused' || seconds <= 0 || !(isCarriedOut || failureOf(state.rollout))) return message
  // What was denied is told now.
  const { missing: _missing, ...later } = message
  await queues.sendEvaluation(later, { delaySeconds: Math.min(seconds, carriedSeconds) })
  return rest
}

export const continueRollout = async (
  tools: EvaluateTools,
  { cluster, incarnation, outdated }: Subject & Pick<Evaluation, 'outdated'>,
  { next, dedupId, idleSince }: Going,
): Promise<void> => {
  const { send, leaves, passes, again, waits } = next
  const subject = { cluster, ...(incarnation && { incarnation }) }
  if (waits) tools.log('waits', { cluster: clusterKey(cluster), why: waits })
  if (send)
    await tools.queues.sendRolloutStep(
      { schemaVersion: 1, ...subject, ...send, ...(outdated !== undefined && { outdated }) },
      dedupId,
    )
  if (leaves) await giveBack(tools, cluster, { idleSince })
  if (passes) await giveBack(tools, cluster, { idleSince: 0, keepsPlace: true })
  if (again) await scheduleLook(tools, subject, again)
}

/**
 * This evaluation leads to another evaluation and to no step: the cluster changes, or cannot be read. Other clusters do not wait
 * for that. A rollout that has begun keeps its permit for the minutes in which it may pass.
 */
export const passOn = async (tools: EvaluateTools, message: Evaluation, state: ClusterState): Promise<void> => {
  const { cluster, permit, attempt = 0 } = message
  if (!hasTurn(message) || (permit && attempt < passingLooks && hasBegun(message, state))) return
  await giveBack(tools, cluster, { idleSince: permit ? idleSince(state, message) : 0, keepsPlace: true })
}

/** Only a message that waits keeps the permit: another rollout may be that of somebody else. */
const hasBegun = ({ reason, decided }: Evaluation, state: ClusterState): boolean =>
  reason === 'rollout' && (decided !== undefined || takesSteps(rolloutIn(state)))

/** Evaluations after 5 s, 10 s … 160 s. */
export const passingLooks = 6

/**
 * Releases the cluster's permit and its place in the queue; the next waiting clusters are evaluated. `incarnation`:
 * only the permit of the cluster with this creation time, because another one with the same name may exist by now.
 * `idleSince`: only a permit that nobody asked for since. `keepsPlace`: if it waits in the queue, nothing.
 */
export const giveBack = async (
  tools: Pick<EvaluateTools, 'permits' | 'queues'>,
  cluster: ClusterRef,
  about: Leaving & { incarnation?: string | undefined } = {},
): Promise<void> => {
  const woken = (await tools.permits?.leave(clusterKey(cluster), about)) ?? []
  for (const [index, key] of woken.entries())
    try {
      await wake(tools, key)
    } catch (error) {
      // They are not in the queue any more. This message is retried, and wakes them then.
      await tools.permits?.putBack(woken.slice(index))
      throw error
    }
}

const wake = async ({ queues }: Pick<EvaluateTools, 'queues'>, key: string): Promise<void> => {
  const [account = '', region = '', name = ''] = key.split('/')
  const cause = 'the fleet budget has room'
  await queues.sendEvaluation({ schemaVersion: 1, cluster: { account, region, name }, reason: 'follow', cause })
}

export const recheckSeconds = 900
/** Later times are left to the sweep. */
const farOffSeconds = 86_400

/**
 * One evaluation each quarter of an hour, and one when the window opens, however many events there are: the first
 * evaluation that reserves it sends the message. The next evaluation sends a lost message again.
 */
const scheduleLook = async (
  { records, queues, now }: EvaluateTools,
  subject: Subject,
  { seconds, why, attempt }: NonNullable<Next['again']>,
) => {
  if (seconds > farOffSeconds) return
  const delaySeconds = Math.min(seconds, recheckSeconds)
  const slot = Math.floor(now().getTime() / 1000 / recheckSeconds) + 1
  const { cluster, incarnation = '' } = subject
  const which = seconds < recheckSeconds ? `at ${Math.floor(now().getTime() / 1000 + seconds)}` : slot
  const key = { cluster: clusterKey(cluster), hash: `look ${incarnation} ${which}`.slice(0, 200) }
  if ((await records.reserve(key, now().toISOString())) !== 'reserved') return
  await queues.sendEvaluation(
    { schemaVersion: 1, ...subject, reason: 'follow', cause: why.slice(0, 300), ...(attempt && { attempt }) },
    { delaySeconds },
  )
  await records.confirm(key, now().toISOString())
}
