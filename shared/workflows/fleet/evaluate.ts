import type { EksCluster } from '../../clients/aws/eks.ts'
import type { ClusterState, EksState } from '../../domain/cluster.ts'
import { wasRemoved } from '../../domain/facts/applicability.ts'
import { beside } from '../../domain/assess/beside.ts'
import { whyOnlyReported } from '../../domain/fleet.ts'
import { isAnother, predates, saidOf } from '../../domain/incarnation.ts'
import type { Halted } from '../../domain/notice/notice.ts'
import { progressToTell } from '../../domain/notice/progress.ts'
import { tagText } from '../../domain/notice/route.ts'
import { plainAll } from '../../domain/plain.ts'
import { type Action, type Switch, switchOf } from '../../domain/policy/policy.ts'
import type { Read, ReadFailure } from '../../domain/read.ts'
import { failureOf, read, valueOf } from '../../domain/read.ts'
import type { Plan, Report } from '../../domain/report.ts'
import { milliseconds } from '../../domain/rfc3339.ts'
import { haltNow, leftToUndo } from '../../domain/rollout/halt-finding.ts'
import { rolloutIn } from '../../domain/rollout/parse.ts'
import { hasRescue, type Rollout, takesSteps } from '../../domain/rollout/rollout.ts'
import { clusterKey, type ClusterRef, type Evaluation } from '../../messages.ts'
import type { Hold } from '../rollout/hold.ts'
import { beginLook } from './begin-look.ts'
import {
  continueRollout,
  decideNext,
  giveBack,
  type Going,
  goesOn,
  idleSince,
  recheckSeconds,
  type Next,
  passingLooks,
  passOn,
  silentSeconds,
  withoutShared,
} from './next.ts'
import { endRecords, forgetReport } from './end-records.ts'
import { keepClaims } from './record-claims.ts'
import { unobserved } from '../observe/observation.ts'
import { isOutsider } from './outsider.ts'
import { deniedIn, refusedBefore, refusedIn, withRefusal } from './refusal.ts'
import { tell } from './tell.ts'
import type { EvaluateTools, Received } from './tools.ts'
import { tellClusterSwitched, tellDeploymentSwitched } from './tell-switch.ts'

/**
 * Evaluates one cluster: assesses whether Calico is in step, records the report, sends notices about what is new, and
 * begins or resumes a rollout.
 */
export const evaluate = async (
  tools: EvaluateTools,
  heard: Evaluation,
  { messageId, receives = 1 }: Received,
): Promise<void> => {
  const { cluster } = heard
  if (isOutsider(tools, cluster, heard.cause ?? heard.reason)) return letGo(tools, heard)
  if (!(await beginLook(tools, heard, { messageId }))) return
  const readAt = iso(tools)
  const [eks, brake, { assess, plan }] = await Promise.all([
    tools.describe(cluster),
    tools.brake?.read(),
    tools.looking(),
  ])
  if (brake) await tellDeploymentSwitched(tools, brake, readAt)
  // The description of another cluster, for example its tags, must not be used for this one.
  const said = saidOf(cluster, valueOf(eks)?.state)
  if (!isThere(eks) || isAnother(heard.incarnation, said?.createdAt)) {
    tools.log('cluster is gone', { cluster: clusterKey(cluster), madeAgain: said?.createdAt })
    if (!said && isGone(eks)) await endRecords(tools, cluster)
    return giveBack(tools, cluster, { incarnation: said && heard.incarnation })
  }
  const incarnation = said?.createdAt ?? heard.incarnation
  const known = { ...heard, ...(incarnation && { incarnation }) }
  const most = whyOnlyReported(tools.fleet, cluster.account) ? 'report' : 'sync'
  const now = switchOf(tools.policy, said?.tags, brake, most)
  const { action } = now
  if (action === 'off') {
    // Nothing is read to find out, but only a rollout under way has such a message.
    await tellClusterSwitched(tools, cluster, { now, readAt, unfinished: known.reason === 'rollout', incarnation })
    tools.log('cluster is switched off', { cluster: clusterKey(cluster), by: now.by })
    // Nobody looks at it any more: its last verdict must not count as one of the fleet. A brake is for a while.
    if (now.by !== 'brake') await forgetReport(tools, clusterKey(cluster))
    return now.by === 'brake' && known.reason === 'rollout' ? untilReleased(tools, known) : letGo(tools, known)
  }
  if (said && isBeingCreatedOrDeleted(said)) await giveBack(tools, cluster)
  const broke = receives > 1 && (await tools.records.lookBegins(clusterKey(cluster), messageId, iso(tools)))
  const seen = broke ? brokenOff(tools, cluster, eks) : await tools.observe(cluster, eks)
  const message = await withoutShared(tools, known, seen)
  const rollout = rolloutIn(seen)
  const unfinished = takesSteps(rollout)
  const isToUndo = hasRescue(rollout)
  const isHeld = now.by === 'brake' && (unfinished || isToUndo)
  // Data that EKS did not return, for example tags, is not treated as changed; a brake that cannot be read was not set by anybody.
  const switchedAt =
    said && brake?.unreadable === undefined
      ? await tellClusterSwitched(tools, cluster, { now, readAt, unfinished: unfinished || isToUndo, incarnation })
      : undefined
  await keepClaims(tools, cluster, seen)
  const assessment = assess(seen, tools.policy)
  const planned = (state: ClusterState) => plan(assessment, state, tools.policy)
  const state = await forPlanning(tools, message, { eks, seen, planned })
  const report: Report = { ...assessment.report, ...beside(seen), plan: planned(state) }
  if (receives > 1) await tools.records.lookEnded(clusterKey(cluster), iso(tools))
  tools.log('assessed', {
    cluster: clusterKey(cluster),
    reason: message.reason,
    cause: message.cause,
    ...summaryOf(report, action),
    unread: failuresIn(seen).at(0),
  })
  const isChanging = report.verdict === 'changing'
  // There is no notice while the failure is short, but the report is recorded.
  if (isChanging) await tools.records.keepVerdict(clusterKey(cluster), report)
  const again = async (least?: number) => {
    await passOn(tools, message, seen)
    await follow(tools, message, least)
  }
  const isHalted = rollout?.state === 'halted'
  const isLeft = isChanging && !isHalted && !(action === 'sync' && goesOn(tools, message, seen))
  if (isLeft && (message.attempt ?? 0) < followedAtMost) return again()
  if (!broke && mayPass(message, { seen, rollout, report })) return again(retryAfter(seen))
  const stored = await tools.records.lastReport(clusterKey(cluster))
  const last = stored && predates(stored.observedAt, incarnation) ? undefined : stored
  if (isLeft) {
    await tell(tools, cluster, { report, last, incarnation, action, lasting: true })
    return again()
  }
  const missing = refusedIn(message) ?? refusedBefore(message.missing ?? deniedIn(last), { state, report })
  const looked = { state, report, refused: missing !== undefined }
  const next =
    action === 'sync' ? await decideNext(tools, message, looked) : unlessAllowed(now, message, { report, unfinished })
  const { waits } = next
  const dedupId = message.waits ?? (isToUndo ? leaseVersion(cluster, seen) : messageId)
  const going = { next, dedupId, idleSince: idleSince(seen, message) }
  const isResumed = isToUndo && next.send !== undefined && knowsRescue(last) && !isOfRescue(message)
  if (action === 'sync' && (isResumed || isRescuing(seen, rollout, { reason: message.reason, switchedAt })))
    return afterRescue(tools, message, going)
  const about = { report: withRefusal(report, missing), last, incarnation }
  await tell(tools, cluster, {
    ...about,
    action,
    // Of what a change brings people hear when it is over.
    lasting: isHalted && !knowsHalt(last, report),
    waits,
    unfinished: unfinished && !isSilent(seen),
    halted: haltIn(seen, rollout, isHeld ? tools.brake?.command('sync') : undefined),
    paused: rollout?.state === 'paused',
    tags: said && tagsOf(said),
    progress: action === 'sync' ? progressToTell(seen, report) : undefined,
  })
  if (isHeld && message.reason === 'rollout') return untilReleased(tools, message)
  if (!next.send && waitsUnseen(message, state, report)) return again()
  const isReleased = action === 'sync' && unfinished && isRecent(seen, switchedAt) && !isSilent(seen)
  const later = isReleased ? whenSilent(tools, seen) : isUnseenChange(report) ? afterUpdate : undefined
  // A step that only gives up the Lease leads to no evaluation.
  const look = next.send && !next.leaves ? undefined : (next.again ?? later)
  await continueRollout(tools, message, { ...going, next: look ? { ...next, again: look } : next })
  // A step that follows a step leads to the next evaluation.
  if (isChanging && !(next.send && message.reason === 'rollout')) await again()
}

const knowsHalt = (last: Report | undefined, { findings }: Report): boolean => {
  const severityIn = (all: Report['findings'] = []) => all.find(({ code }) => code === 'ROLLOUT_HALTED')?.severity
  return severityIn(last?.findings) === severityIn(findings)
}

/** Nobody looks at this cluster any more, so its Lease is not read. A step that is under way ends before another cluster begins. */
const letGo = (tools: EvaluateTools, message: Evaluation): Promise<void> =>
  giveBack(tools, message.cluster, {
    idleSince: idleSince({ rollout: read(undefined), observedAt: iso(tools) }, message),
  })

/**
 * The stop may have ended the messages of the rollout, or not: it continues when its Lease tells that none is left. A message
 * that waited for the release of the brake comes first. All that ask for this look ask for the same one.
 */
const whenSilent = ({ now }: EvaluateTools, { rollout }: ClusterState): Hold => {
  const at = Math.ceil(milliseconds(valueOf(rollout)?.renewedAt ?? '') / 1000) + silentSeconds + 60
  return { seconds: Math.max(0, at - Math.floor(now().getTime() / 1000)), why: 'the rollout is allowed again' }
}

const isRecent = ({ observedAt }: ClusterState, at = ''): boolean =>
  Math.abs(Date.parse(observedAt) - milliseconds(at)) < silentSeconds * 1000

/**
 * The notice of a halt is sent when its nodes are restored, or when nothing more was restored for this time: a rescue that waits
 * renews the Lease. While the brake or a tag stops it, it does not wait.
 */
const isRescuing = (
  seen: ClusterState,
  rollout: Rollout | undefined,
  { reason, switchedAt }: Pick<Evaluation, 'reason'> & { switchedAt: string | undefined },
): boolean => {
  if (!hasRescue(rollout)) return false
  const { id, evidence, startedAt, journal } = rollout
  const writes = (journal?.entries ?? []).filter((it) => it.rollout === id)
  const isMoving = isRecent(seen, evidence?.at ?? startedAt) || writes.some(({ at }) => isRecent(seen, at))
  // After a longer hold, such as an update by EKS, its message goes on just now.
  const isUnderWay = isRecent(seen, valueOf(seen.rollout)?.renewedAt) ? isMoving : reason === 'rollout'
  return isRecent(seen, switchedAt) || isUnderWay
}

/** People know that not all is undone yet: where that goes on just now, its end is the next news. */
const knowsRescue = (last: Report | undefined): boolean =>
  last?.findings.some(({ code, severity }) => code === 'ROLLOUT_HALTED' && severity === 'critical') === true

/** Its own message, or the look of `afterRescue`, which has no attempt: a rescue that did not move until then is told. */
const isOfRescue = ({ reason, attempt }: Evaluation): boolean =>
  reason === 'rollout' || (reason === 'follow' && attempt === undefined)

/** Evaluations that find the same interrupted rescue continue it with one message. */
const leaseVersion = (cluster: ClusterRef, { rollout }: ClusterState): string =>
  `${clusterKey(cluster)} ${valueOf(rollout)?.resourceVersion}`

const rescueSeconds = 120

/**
 * The end of the rollback leads to an evaluation of its own; the next one is for a rollback that does not end. All that ask for
 * it ask for the same one, at the end of these two minutes.
 */
const afterRescue = async (tools: EvaluateTools, message: Evaluation, { next, ...about }: Going): Promise<void> => {
  const seconds = rescueSeconds - (Math.floor(tools.now().getTime() / 1000) % rescueSeconds)
  const again = { seconds, why: 'a halt restores the former state' }
  await continueRollout(tools, message, { ...about, next: { ...next, again } })
}

const isThere = (eks: Read<EksCluster | undefined>): eks is Read<EksCluster> =>
  'failure' in eks || eks.value !== undefined

const isGone = (eks: Read<EksCluster | undefined>): boolean => 'value' in eks && eks.value === undefined

const iso = ({ now }: EvaluateTools): string => now().toISOString()

/**
 * An evaluation that failed twice, for lack of memory or time, or by an error, would fail again: a notice is sent
 * instead. The first failure is known only to the queue. Failures before or after an evaluation (records, queues) do
 * not count.
 */
const brokenOff = ({ now }: EvaluateTools, identity: ClusterRef, eks: Read<EksCluster>): ClusterState => {
  const message =
    '2 evaluations of this cluster failed: out of memory or time, or by an error. See the log of evaluate.'
  const known = 'value' in eks ? { value: eks.value.state } : eks
  return unobserved({ identity, now: now(), eks: known }, { kind: 'unavailable', object: 'evaluate', message })
}

/** Nothing is changed in it now: a permit belongs to an earlier cluster. */
const isBeingCreatedOrDeleted = ({ status }: EksState): boolean => status === 'DELETING' || status === 'CREATING'

/**
 * Work that the brake stopped must continue after its release, which causes no event: so it is checked again. So is a rollout
 * that a tag or the limit stopped: an event that allows it again may come while it still counts as carried out. Its permit,
 * and room in the fleet budget that woke this cluster, are for the next one.
 */
const unlessAllowed = (
  { action, by }: Switch,
  { reason, permit }: Evaluation,
  { report: { plan }, unfinished }: { report: Report; unfinished: boolean },
): Next => {
  const isBraked = by === 'brake' && plan !== undefined && plan.changes.length > 0
  const isStopped = unfinished && (reason === 'rollout' || reason === 'follow')
  return isBraked || isStopped
    ? { leaves: true, again: { seconds: recheckSeconds, why: `the action is set to ${action} by the ${by}` } }
    : { leaves: permit !== undefined || (reason === 'follow' && by !== 'policy') }
}

/** A rollout that the brake has stopped keeps its message, and continues this soon after the release. */
const untilReleased = ({ queues }: EvaluateTools, message: Evaluation): Promise<void> =>
  queues.sendEvaluation(message, { delaySeconds: 30 })

/** The node of the halt is in its evidence. `release`: what releases the brake that holds it. */
const haltIn = (seen: ClusterState, rollout: Rollout | undefined, release: string | undefined): Halted | undefined => {
  if (rollout?.state !== 'halted') return undefined
  const { evidence } = rollout
  const happened = evidence && [`${evidence.at}: ${evidence.reason}.`, ...haltNow(evidence, valueOf(seen.pods) ?? [])]
  const known = happened && plainAll({ node: evidence.node, happened })
  return { ...known, ...(leftToUndo(rollout, seen) && { pending: true, release, removed: wasRemoved(seen) }) }
}

/** The maximum number of tags in EKS. */
const tagsOf = ({ tags }: EksState): string[] =>
  Object.entries(tags)
    .slice(0, 50)
    .map(([key, value]) => tagText({ key, value }).slice(0, 400))

/** No process applies the rollout any more. */
const isSilent = ({ rollout, observedAt }: ClusterState): boolean =>
  !(Date.parse(observedAt) - Date.parse(valueOf(rollout)?.renewedAt ?? '') < silentSeconds * 1000)

/** A rollout that has begun already has its order of nodes: then nothing more is read. */
const forPlanning = async (
  { forPlan }: EvaluateTools,
  { cluster, reason }: Evaluation,
  { eks, seen, planned }: { eks: Read<EksCluster>; seen: ClusterState; planned: (state: ClusterState) => Plan },
): Promise<ClusterState> =>
  forPlan && reason !== 'rollout' && planned(seen).changes.length > 0 ? forPlan(cluster, eks, seen) : seen

const summaryOf = (report: Report, action: Action) => ({
  verdict: report.verdict,
  action,
  findings: report.findings.map(({ code, severity, subject }) => ({ code, severity, subject })),
  changes: report.plan?.changes.length ?? 0,
  blockedBy: report.plan?.blockedBy,
})

/**
 * A rollout waits, and this evaluation could not determine whether it may continue: without another message it would
 * stop.
 */
const waitsUnseen = ({ reason }: Evaluation, seen: ClusterState, { verdict }: Report): boolean => {
  if (reason !== 'rollout' || (verdict !== 'unknown' && !failureOf(seen.rollout) && !failureOf(seen.eks))) return false
  const rollout = rolloutIn(seen)
  return !rollout || takesSteps(rollout)
}

/**
 * Throttling, a server that is being replaced (while EKS updates the cluster, it drops connections, and denies what it allows until
 * it has read its roles), an API of AWS that does not answer, a DaemonSet of calico-node that is created again: no notice is sent for
 * what is shorter than five minutes.
 */
const mayPass = (
  { attempt = 0 }: Evaluation,
  { seen, rollout, report }: { seen: ClusterState; rollout: Rollout | undefined; report: Report },
): boolean => {
  if (attempt >= passingLooks) return false
  if (wasRemoved(seen) && (rollout?.state === 'running' || hasRescue(rollout))) return true
  const mayEnd = ({ kind, object }: ReadFailure): boolean =>
    kind === 'unavailable' || isUnseenChange(report) || (kind === 'unreachable' && /^(?:eks|sts):/.test(object))
  return report.verdict === 'unknown' && failuresIn(seen).some(mayEnd)
}

/**
 * The end of an update by EKS causes no event: without another evaluation the change would be seen only by the next sweep. What the
 * cluster itself calls a change may last for days.
 */
const isUnseenChange = ({ verdict, findings }: Report): boolean =>
  verdict === 'unknown' &&
  findings.some(
    ({ code, severity, subject }) => code === 'CLUSTER_UPDATING' && severity === 'info' && subject === 'cluster',
  )

/** Failures that pass have had their evaluations. */
const afterUpdate = { seconds: recheckSeconds, why: 'EKS updates the cluster', attempt: passingLooks }

/** Failures of reads that the verdict needs. */
const failuresIn = ({
  eks,
  nodes,
  daemonSets,
  pods,
  felix,
  nodePorts,
  kubernetesVersion,
}: ClusterState): ReadFailure[] =>
  [eks, nodes, daemonSets, pods, felix, nodePorts, kubernetesVersion].flatMap((it) => failureOf(it) ?? [])

const retryAfter = (state: ClusterState): number =>
  Math.max(0, ...failuresIn(state).map(({ retryAfterSeconds = 0 }) => retryAfterSeconds))

const followedAtMost = 18

/**
 * 5 s, 10 s, 20 s … 15 min, for about three hours; after that the sweep evaluates the cluster anyway. `least`: in
 * seconds.
 */
const follow = async ({ queues, log }: EvaluateTools, message: Evaluation, least = 0) => {
  const { cluster, incarnation, reason, cause, waits, decided, outdated, missing, permit, attempt = 0 } = message
  if (attempt >= followedAtMost) return log('takes very long; left to the sweep', { cluster: clusterKey(cluster) })
  // A waiting rollout continues when the change is over, or the cluster can be read again.
  const why = reason === 'rollout' ? reason : 'follow'
  const next: Evaluation = { schemaVersion: 1, cluster, reason: why, attempt: attempt + 1 }
  await queues.sendEvaluation(
    {
      ...next,
      ...(incarnation && { incarnation }),
      ...(cause && { cause }),
      ...(waits && { waits }),
      ...(decided && { decided }),
      ...(outdated && { outdated }),
      ...(missing && { missing }),
      ...(permit && reason === 'rollout' && { permit }),
    },
    { delaySeconds: Math.min(Math.max(5 * 2 ** attempt, least), 900) },
  )
}
