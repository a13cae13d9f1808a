import type { Brake } from '../../clients/aws/brake.ts'
import type { KubeClient } from '../../clients/kube/client.ts'
import type { EksCluster } from '../../clients/aws/eks.ts'
import type { Health } from '../../clients/aws/health.ts'
import type { Queues } from '../../clients/aws/queues.ts'
import type { ActedRecords } from '../../clients/aws/records-writes.ts'
import { isLastTry } from '../../dead-letters.ts'
import type { ClusterState, EksState } from '../../domain/cluster.ts'
import { type FleetBounds, takingOperatorRole, whyOnlyReported } from '../../domain/fleet.ts'
import { isAnother, saidOf } from '../../domain/incarnation.ts'
import { type Policy, switchOf } from '../../domain/policy/policy.ts'
import type { Read, ReadFailure } from '../../domain/read.ts'
import type { JournalEntry } from '../../domain/rollout/journal.ts'
import { carriedSeconds, type Permit } from '../../domain/policy/fleet-budget.ts'
import { carefulPace } from '../../domain/rollout/pace.ts'
import { rolloutIn, soundRollout } from '../../domain/rollout/parse.ts'
import { restsUntil } from '../../domain/rollout/rest.ts'
import { isWatched } from '../../domain/rollout/watched.ts'
import { askLater, isOutdated, isThrottled, KubeError, readAgain, ReadError } from '../../errors.ts'
import type { Log } from '../../log.ts'
import { clusterKey, type ClusterRef, type RolloutStep } from '../../messages.ts'
import { braked, fenced, HeldError, holdFor, holdSeconds, holdWithout, type Hold, stoppedBy } from '../rollout/hold.ts'
import { needed } from '../needed.ts'
import type * as beginning from './beginning.ts'
import { isOutsider } from './outsider.ts'
import { takeStep } from '../rollout/step.ts'
import type { Outcome, StepTools } from '../rollout/tools.ts'
import type { Received } from './tools.ts'

export interface HandleStepTools extends Omit<StepTools, 'kube' | 'rescue' | 'unbraked' | 'decided' | 'record'> {
  fleet: FleetBounds
  access: {
    describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
    observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
    kube: (cluster: ClusterRef, eks: EksCluster) => KubeClient | undefined
  }
  /** Loads what only the begin of a rollout needs. */
  beginning: () => Promise<Pick<typeof beginning, 'assess' | 'beginRollout'>>
  queues: Queues
  records: ActedRecords
  policy: Policy
  /** Read before each step and before each write; absent: the deployment has none. */
  brake?: Brake
  /** The alarms that hold a rollout; absent: none. */
  health?: Health
  /** The fleet has a budget: without a permit in the message no node is touched. */
  needsPermit?: boolean
  log: Log
}

/**
 * One message of the rollout queue: one step, then a message for the next. An immediate step is the next message of
 * the same queue; a wait is a delayed evaluation of the whole cluster, because the cluster may have changed
 * meanwhile. The next message's deduplication id is this one's id, also across a wait, so that a message that is
 * delivered twice does not create two chains.
 */
export const handleStep = async (
  tools: HandleStepTools,
  message: RolloutStep,
  { messageId, receives = 1 }: Received,
): Promise<void> => {
  try {
    await stepAndSend(tools, message, messageId)
  } catch (error) {
    if (message.permit && isLastTry(error, receives)) await letPermitGo(tools, message, message.permit)
    throw error
  }
}

/**
 * A dead letter carries nothing on, so its permit is for the next cluster: as soon as no other message may use it, since one that
 * SQS said it had not taken may be under way. If this cannot be sent either, the permit expires.
 */
const letPermitGo = async (
  { queues, now, log }: HandleStepTools,
  { cluster, incarnation }: RolloutStep,
  permit: Permit,
): Promise<void> => {
  const subject = { schemaVersion: 1, cluster, ...(incarnation && { incarnation }) } as const
  const seconds = Math.ceil((Date.parse(permit.until) - now().getTime()) / 1000)
  const cause = 'the step became a dead letter'
  await queues
    .sendEvaluation(
      { ...subject, reason: 'refused', cause, permit },
      { delaySeconds: Math.min(Math.max(seconds, 0), carriedSeconds) },
    )
    .catch((error: unknown) => log('permit is kept', { cluster: clusterKey(cluster), error: String(error) }, 'warn'))
}

const stepAndSend = async (tools: HandleStepTools, message: RolloutStep, messageId: string): Promise<void> => {
  const { cluster, incarnation, permit, changing } = message
  const { missing, decided, ...outcome } = await stepOn(tools, message)
  const subject = { schemaVersion: 1, cluster, ...(incarnation && { incarnation }) } as const
  const known = { ...subject, ...(decided !== undefined && { decided }) }
  // The evaluation that follows may have to give it back.
  const held = permit && { permit }
  tools.log('step', { cluster: clusterKey(cluster), ...outcome, ...(missing && { missing }) })
  switch (outcome.next) {
    case 'now':
      return tools.queues.sendRolloutStep({ ...known, ...(changing && { changing }), begin: false, ...held }, messageId)
    case 'wait':
      return tools.queues.sendEvaluation(
        { ...known, reason: 'rollout', waits: messageId, ...againIn(outcome), ...held },
        { delaySeconds: outcome.seconds },
      )
    case 'look':
      return tools.queues.sendEvaluation(
        {
          ...subject,
          reason: 'rollout',
          cause: outcome.why.slice(0, 300),
          waits: messageId,
          ...againIn(outcome),
          ...held,
        },
        { delaySeconds: recheckSeconds },
      )
    case 'over':
      // The notice of any end comes from a new evaluation of the cluster. A rollout that never began ends without a
      // notice.
      if (outcome.state === 'done' || outcome.state === 'halted') {
        const cause = `rollout ${outcome.state}`
        const { recheckAfterSeconds: delaySeconds } = outcome
        await tools.queues.sendEvaluation(
          { ...subject, reason: 'event', cause, ...held },
          ...(delaySeconds === undefined ? [] : [{ delaySeconds }]),
        )
      } else if (missing || permit) {
        // A denied permission is reported, or the permit is released.
        const about = { cause: outcome.why.slice(0, 300), ...(missing && { missing }), ...held }
        await tools.queues.sendEvaluation({ ...subject, reason: 'refused', ...about })
      }
  }
}

const againIn = ({ outdated }: { outdated?: number }) => (outdated === undefined ? {} : { outdated })

const recheckSeconds = 5

const stepOn = async (tools: HandleStepTools, message: RolloutStep): Promise<Stepped> => {
  const { cluster, decided } = message
  if (isOutsider(tools, cluster, 'rollout step'))
    return { next: 'over', state: 'none', why: 'the cluster is not in the fleet' }
  const refused = whyOnlyReported(tools.fleet, cluster.account)
  if (refused) return { next: 'over', state: 'none', why: refused }
  const described = await tools.access.describe(cluster)
  // Nothing began, and nobody but the account's owner can change that: it is said in the report. What has begun is an alarm.
  if (message.begin && 'failure' in described && isRoleDenied(described.failure))
    return { next: 'over', state: 'none', why: described.failure.message, missing: [takingOperatorRole] }
  const eks = needed(described)
  const end = eks ? whyOver(message, eks.state) : 'the cluster was deleted'
  const kube = eks && end === undefined ? tools.access.kube(cluster, eks) : undefined
  if (!eks || !kube) return { next: 'over', state: 'none', why: end ?? 'the cluster has no endpoint' }
  const { status } = eks.state
  const isActive = status === 'ACTIVE'
  const why = isActive ? 'no further node may be touched' : `EKS reports the cluster as ${status}`
  const changing: Hold | undefined = isActive && !message.changing ? undefined : { seconds: 60, why }
  // The next evaluation sees the change too: what a change breaks does not wait for its end.
  if (changing && message.begin) return { next: 'wait', ...changing, decided }
  const stopped = async () => stoppedBy(switchOf(tools.policy, eks.state.tags, await tools.brake?.read()))
  const stop = await stopped()
  if (stop) return { next: 'wait', ...stop, decided }
  const permitted = guard(tools, message)
  const ask = async () => changing ?? permitted()
  const record = (entries: JournalEntry[]) => tools.records.keepActed(clusterKey(cluster), entries)
  const rescue = braked(kube, stopped)
  const step = {
    ...tools,
    decided,
    record,
    rescue,
    unbraked: kube,
    kube: braked(fenced(kube, tools.now, ask), stopped),
  }
  try {
    // If nodes may not be touched now, no rollout begins; a running one lets its nodes settle first.
    const hold = message.begin ? await ask() : undefined
    if (!message.begin || hold) {
      const outcome = await takeStep(step, message.outdated)
      if (hold && isStillToBegin(outcome)) throw new HeldError(hold)
      return { ...outcome, decided }
    }
    const [state, { assess, beginRollout }] = await Promise.all([
      tools.access.observe(cluster, { value: eks }),
      tools.beginning(),
    ])
    if (isStopped(message, state, tools.now())) return { ...(await takeStep(step, message.outdated)), decided }
    const beginning = await beginRollout(step, { state, assessment: assess(state, tools.policy) }, tools.policy)
    if (beginning.begun) return { next: 'now', decided: beginning.decided }
    const { why, blockedBy, missing } = beginning
    return { next: 'over', state: 'none', why: [why, ...blockedBy].join(' '), ...(missing && { missing }) }
  } catch (error) {
    // Its API server may deny what it allows; the next evaluation says what does not pass.
    if (changing && error instanceof KubeError) return { next: 'wait', ...changing, decided }
    // The cluster changed while the rollout began.
    if (isOutdated(error)) return { next: 'look', ...readAgain(error, message.outdated) }
    // The API server throttles the reads and the first writes of a rollout's begin, or the read of its Lease.
    if (isThrottled(error)) return { next: 'wait', ...askLater(error, message.outdated), decided }
    return { ...(await waitFor(error, kube, tools)), decided }
  }
}

/** By a person, after the evaluation that sent the message. An abort still takes its steps. */
const isStopped = ({ decided }: RolloutStep, seen: ClusterState, now: Date): boolean => {
  const rollout = rolloutIn(seen)
  const state = rollout?.state
  if (state === 'aborting' || state === 'paused' || (state === 'aborted' && decided !== undefined)) return true
  return restsUntil(rollout, seen) > now.getTime()
}

/** None is under way, and a hold is no refusal: an evaluation after it decides whether one begins. */
const isStillToBegin = (outcome: Outcome): boolean =>
  outcome.next === 'look' || (outcome.next === 'over' && (outcome.state === 'none' || outcome.state === 'aborted'))

/**
 * Errors that end a step without being a fault of it. If the cluster cannot be read, its evaluation fails in the same
 * way and reports it.
 */
const waitFor = async (error: unknown, kube: KubeClient, tools: HandleStepTools): Promise<Outcome> => {
  if (isUnread(error)) return { next: 'wait', seconds: secondsAfter(error), why: error.message.slice(0, 300) }
  if (!(error instanceof HeldError)) throw error
  try {
    return { next: 'wait', seconds: await whileHeld(kube, error.hold, tools), why: error.hold.why }
  } catch (fault) {
    if (!isUnread(fault)) throw fault
    return { next: 'wait', seconds: secondsAfter(fault), why: error.hold.why }
  }
}

const isRoleDenied = ({ kind, object }: ReadFailure): boolean => kind === 'denied' && object === 'sts:AssumeRole'

/** Not permanent denials: these need a person and lead to an alarm. */
const isUnread = (error: unknown): error is ReadError =>
  error instanceof ReadError && ['malformed', 'unreachable', 'unavailable'].includes(error.kind)

const unreadSeconds = 30

/** Longer if the server asks for it. */
const secondsAfter = ({ retryAfterSeconds = 0 }: ReadError): number => Math.max(unreadSeconds, retryAfterSeconds)

/** Why the message is dropped: it was for a cluster that was deleted, or EKS describes another cluster. */
const whyOver = ({ cluster, incarnation }: RolloutStep, eks: EksState): string | undefined => {
  if (!saidOf(cluster, eks)) return `EKS describes another cluster: ${eks.arn || 'one without an ARN'}`
  if (eks.status === 'DELETING') return 'EKS is deleting the cluster'
  return isAnother(incarnation, eks.createdAt)
    ? `the cluster was deleted, and another one with its name was created ${eks.createdAt}`
    : undefined
}

type Stepped = Outcome & { missing?: string[]; decided?: string | undefined }

/**
 * The permit is checked at each write; windows and alarms are checked once for each step, which ends within a minute.
 */
const guard = (tools: HandleStepTools, { permit }: RolloutStep): (() => Promise<Hold | undefined>) => {
  let held: Promise<Hold | undefined> | undefined
  return async () => {
    const lost = tools.needsPermit ? holdWithout(permit, tools.now()) : undefined
    return lost ?? (await (held ??= holdFor(tools)))
  }
}

/** A node that is watched is observed even if the next node is on hold. */
const whileHeld = async (kube: KubeClient, hold: Hold, { now, policy }: HandleStepTools): Promise<number> => {
  const rollout = soundRollout(needed(await kube.lease()), now().getTime())
  const seconds = Math.min(hold.seconds, holdSeconds)
  if (!rollout) return seconds
  const { objects } = needed(await kube.felixConfigurations([rollout.where.api]))
  const { settleSeconds } = carefulPace(rollout.pace, policy)
  return isWatched({ rollout, now: now().getTime() }, objects, policy)
    ? Math.min(seconds, Math.max(settleSeconds, 5))
    : seconds
}
