import { isDeepStrictEqual } from 'node:util'
import type { RolloutRecord } from '../../domain/cluster.ts'
import { restoresDefault } from '../../domain/rollout/halt-evidence.ts'
import { isOurs } from '../../domain/rollout/marks.ts'
import { nextStep, rememberingUnwell } from '../../domain/rollout/next-step.ts'
import { carefulPace } from '../../domain/rollout/pace.ts'
import { parseRollout } from '../../domain/rollout/parse.ts'
import { isReachedBy } from '../../domain/rollout/places.ts'
import { overriddenNode } from '../../domain/rollout/range-writes.ts'
import { hasRescue, type Rollout, takesBack, takesSteps } from '../../domain/rollout/rollout.ts'
import { withNodes } from '../../domain/rollout/step-input.ts'
import type { StepInput, Step } from '../../domain/rollout/step.ts'
import { askLater, isOutdated, isThrottled, readAgain, UnseenError } from '../../errors.ts'
import { unlessApiIsGone } from './api-gone.ts'
import { applyStep } from './apply.ts'
import { decisionOf } from './decision.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'
import { haltWithEvidence, rollBack } from './halt.ts'
import { heldByOther, isDueForRenewal, isOverdue, isUnwatched, putRollout, renew } from './lease.ts'
import { calicoPods, isRemoved, listsNone, observeRollout, unlisted } from './observe.ts'
import type { LeasedRollout, Outcome, StepTools } from './tools.ts'

/**
 * One step of the rollout in the Lease: at most five requests, six if it removes an override, or eight if it writes a range, which is
 * noted before and confirmed after (one more if the Lease is about to expire, a touched node is missing or not Ready, nodes are
 * remembered as not well, a log is read, or the API is no longer served) and at most one effect on nodes. An effect that
 * was applied before and not acknowledged is visible in the cluster and not repeated. The Lease may be forged: no node is changed unless this
 * function or process decided it, and every step reads the cluster again. `outdated`: as the outcome before said.
 */
export const takeStep = async (tools: StepTools, outdated = 0): Promise<Outcome> => {
  const record = needed(await tools.kube.lease())
  const parsed = parseRollout(record, tools.now().getTime())
  if (parsed.is === 'invalid') return { next: 'over', state: 'none', why: notUnderstood(parsed.why) }
  if (!record || parsed.is === 'none') return { next: 'over', state: 'none', why: 'no rollout has begun' }
  const held = heldByOther(record, tools)
  if (held) return held
  const rollout = { ...parsed.rollout, pace: carefulPace(parsed.rollout.pace, tools.policy) }
  const named = withNames(tools, rollout)
  if (hasRescue(rollout))
    return unlessRefused(outdated, async () => {
      // Also where it waits: nobody else is to continue it meanwhile.
      const standing = { record: isDueForRenewal(record, tools) ? await renew(tools, record) : record, rollout }
      return unlessApiIsGone(named, standing, async () => {
        const calico = await calicoPods(named.kube)
        if ('unknown' in calico) return rescueWaits(calico.unknown)
        // From no pods it would conclude that all nodes are well with the value of default.
        if (restoresDefault(rollout.evidence) && listsNone(calico)) return rescueWaits(unlisted)
        return rollBack(named, standing, calico.pods)
      })
    })
  if (!takesSteps(rollout)) return unlessRefused(outdated, () => leave(tools, record, rollout))
  if (rollout.state === 'running' && decisionOf(rollout) !== tools.decided)
    return { next: 'look', why: 'the Lease has another decision' }
  return unlessRefused(outdated, async () => {
    // The step continues at once: if messages are late, steps that only renew could follow each other forever.
    const standing = isUnwatched(tools, record, rollout)
      ? await forgetUnwell(tools, record, rollout)
      : { record: isOverdue(record, tools) ? await renew(tools, record) : record, rollout }
    return unlessApiIsGone(named, standing, () => decideAndApply(named, standing, outdated))
  })
}

const forgetUnwell = async (tools: StepTools, record: RolloutRecord, rollout: Rollout): Promise<LeasedRollout> => {
  const { unwell: _unwell, ...rest } = rollout
  return { record: await putRollout(tools, { record }, rest), rollout: rest }
}

/** A person stopped it. Whoever resumes or aborts it need not wait until the Lease of this party expires. */
const leave = async (
  { kube, holder }: StepTools,
  record: RolloutRecord,
  { state, reason }: Rollout,
): Promise<Outcome> => {
  if (record.holder === holder) await kube.putLease({ resourceVersion: record.resourceVersion, holder: null })
  return { next: 'over', state, why: reason ?? state }
}

export const notUnderstood = (why: string): string =>
  `The Lease kube-system/calico-ipvs-sync cannot be parsed: ${why}. check shows the commands that print and delete it.`

/** Somebody changed or deleted the object since it was read, or the server is throttling: nothing was written. */
const unlessRefused = async (outdated: number, step: () => Promise<Outcome>): Promise<Outcome> => {
  try {
    return await step()
  } catch (error) {
    if (isOutdated(error)) return { next: 'wait', seconds: 1, ...readAgain(error, outdated) }
    if (isThrottled(error)) return { next: 'wait', throttled: true, ...askLater(error, outdated) }
    throw error
  }
}

/** Each log line is complete without the others. */
const withNames = (tools: StepTools, { id: rollout, why: cause }: Rollout): StepTools => ({
  ...tools,
  tell: (event) => tools.tell({ ...event, rollout, by: tools.holder, cause }),
})

/**
 * The DaemonSet has pods, and none is listed: unless just those of touched nodes are missing, nothing may be concluded
 * from that. Nor may all overrides be removed at once, as from nodes that have left: such a node may be missing in a list
 * that is empty as well. Where an abort has only one left, its removal disturbs one node at most.
 */
const isUnlisted = (rollout: Rollout, seen: StepInput): boolean => {
  const { missing = 0, objects, left = new Set() } = seen
  const { state, touching } = rollout
  if (!listsNone(seen)) return false
  const ours = objects.filter(isOurs)
  const touched = new Set([
    ...touching.map(({ node }) => node),
    ...ours.filter(isReachedBy(rollout)).map(overriddenNode),
  ])
  if (touched.size === 0) return state === 'running'
  if (takesBack(rollout) && (ours.length > 1 || touching.length === 0)) return ours.length > 1
  return left.size > 0 || missing > touched.size
}

/** What a halt has still to undo is tried as long as it takes: people are told of the halt, and it needs no permit. */
const rescueWaits = (why: string): Outcome => ({ next: 'wait', seconds: 60, why })

/** What cannot be seen for long ends like a server that throttles for long. Until then nobody else is to continue the rollout. */
const unseen = async (
  tools: StepTools,
  { record, rollout }: LeasedRollout,
  { why, outdated }: { why: string; outdated: number },
): Promise<Outcome> => {
  const later = askLater(new UnseenError('malformed', why), outdated)
  if (isDueForRenewal(record, tools))
    await (rollout.unwell ? forgetUnwell(tools, record, rollout) : renew(tools, record))
  return { next: 'wait', ...later }
}

const decideAndApply = async (tools: StepTools, standing: LeasedRollout, outdated: number): Promise<Outcome> => {
  const calico = await calicoPods(tools.kube)
  const isHarmless =
    'unknown' in calico && standing.rollout.state === 'aborting' && (await isRemoved(tools.kube, calico))
  if ('unknown' in calico && !isHarmless) return unseen(tools, standing, { why: calico.unknown, outdated })
  const { pods, missing } = 'unknown' in calico ? { pods: [], missing: 0 } : calico
  const rollout = isHarmless ? { ...standing.rollout, touching: [] } : standing.rollout
  if (rollout.evidence?.pending) return haltWithEvidence(tools, standing, { first: rollout.evidence, pods })
  const now = tools.now()
  const looked = { ...(await observeRollout(tools.kube, rollout, { pods, now })), missing }
  if (isUnlisted(rollout, looked)) return unseen(tools, standing, { why: unlisted, outdated })
  const { unwell = [] } = rememberingUnwell({ rollout, now: now.getTime() }, looked).rollout
  const known = { ...rollout, unwell }
  // It decides in the same step: where the nodes that are not well change all the time, it would never decide otherwise.
  const isNew = !isDeepStrictEqual(unwell, rollout.unwell ?? [])
  const record = isNew
    ? await putRollout(tools, standing, known)
    : unwell.length > 0
      ? await renew(tools, standing.record)
      : standing.record
  const { step, seen } = await decideStep(tools, known, looked)
  return applyStep(step, tools, { record, rollout: known, seen })
}

/**
 * The status of a pod stays Ready while its kubelet does not report: so the Node itself is read before it is touched.
 */
const decideStep = async (
  { kube, now }: StepTools,
  rollout: Rollout,
  seen: StepInput,
): Promise<{ step: Step; seen: StepInput }> => {
  const at = now().toISOString()
  const step = nextStep(rollout, seen, at)
  const name = step.do === 'override' ? step.node : step.do === 'restart' ? step.pod.node : undefined
  if (name === undefined) return { step, seen }
  const isReady = needed(await kube.nodes(name)).some((node) => node.name === name && node.ready)
  if (isReady) return { step, seen }
  const known = withNodes(seen, needed(agreeing(await kube.nodes(), seen.pods)))
  return { step: nextStep(rollout, known, at), seen: known }
}
