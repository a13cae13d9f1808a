import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Assessment } from '../../domain/assess/assessment.ts'
import type { ClusterState, FelixObject, RolloutRecord } from '../../domain/cluster.ts'
import { counted } from '../../domain/counted.ts'
import { intentOf, isNothing, needsRestart, type Intent } from '../../domain/plan/intent.ts'
import type { Policy } from '../../domain/policy/policy.ts'
import { parsePortList, sameRanges } from '../../domain/ports.ts'
import { valueOf } from '../../domain/read.ts'
import { oneByOne, paceOf } from '../../domain/rollout/pace.ts'
import { lease, rangeAnnotation } from '../../domain/rollout/annotations.ts'
import { isAtOnce } from '../../domain/rollout/memory.ts'
import { parseRollout, soundRollout } from '../../domain/rollout/parse.ts'
import { defaultIn } from '../../domain/rollout/range-writes.ts'
import type { Pace, Rollout } from '../../domain/rollout/rollout.ts'
import { parseVersion, specMayBeWritten } from '../../domain/version.ts'
import { KubeError } from '../../errors.ts'
import { decisionOf } from './decision.ts'
import { accessMissing, accessNeeded, accessRemedy } from './access-review.ts'
import { tryFirstWrite } from './first-write.ts'
import { needed } from '../needed.ts'
import { withWebhookNodes } from '../observe/webhooks.ts'
import { heldByOther, isUnwatched, type Note, putRollout } from './lease.ts'
import type { LeasedRollout, StepTools } from './tools.ts'
import { reasonGone } from './range-writes.ts'
import { serverDefaults } from './server-defaults.ts'

/** A new observation of the whole cluster. */
export interface AssessedCluster {
  state: ClusterState
  assessment: Assessment
}

/** `decided` is absent if another process applies the rollout. */
export type Beginning = { begun: true; rollout: Rollout; decided?: string } | NotBegun

/**
 * `blocked`: by findings · `busy`: by another rollout, or a person who stopped this one · `refused`: by the cluster.
 * `missing`: denied permissions, a verb and a resource each. `why` is text for people only.
 */
export interface NotBegun {
  begun: false
  reason: 'nothing-to-do' | 'blocked' | 'busy' | 'refused'
  why: string
  blockedBy: string[]
  missing?: string[]
}

const not = (reason: NotBegun['reason'], why: string, blockedBy: string[] = []): NotBegun => ({
  begun: false,
  reason,
  why,
  blockedBy,
})

/**
 * Writes the rollout to the Lease, if a change is necessary and allowed. A running rollout with another target gets
 * the new target; nodes with the old one are changed again, within the budget. A rollout that another process
 * decided, or a forged one, is decided again from this observation: only the nodes that were touched last are kept
 * from the Lease, to wait for them.
 */
export const beginRollout = async (tools: StepTools, look: AssessedCluster, policy: Policy): Promise<Beginning> => {
  const { state, assessment } = look
  const wanted = intentOf(assessment, state, policy)
  if (wanted.blockedBy.length > 0) return not('blocked', 'something forbids it', wanted.blockedBy)
  const record = needed(state.rollout)
  const parsed = parseRollout(record, tools.now().getTime())
  if (parsed.is === 'invalid') return not('blocked', parsed.why, ['ROLLOUT_STATE_INVALID'])
  const present = record && parsed.is === 'rollout' ? asWatched(tools, record, parsed.rollout) : undefined
  // Somebody removed the rollout from the Lease while a process applies it: what that process writes next is not known.
  if (record && !present && heldByOther(record, tools))
    return not('busy', `${record.holder} holds Lease ${lease.namespace}/${lease.name}, which has no rollout on record`)
  const withWatch = (it: Intent) => withWatched(it, present, look)
  const intent = withWatch(wanted)
  if (record && present?.state === 'running' && carriesOut(present, intent, look)) {
    if (heldByOther(record, tools)) return { begun: true, rollout: present }
    if (decisionOf(present) === tools.decided && isStillDue(present, assessment, policy))
      return continueAtPace(tools, { record, rollout: present }, paceFor(present, policy))
  }
  if (isNothing(intent) && present?.state !== 'running') return not('nothing-to-do', 'there is nothing to do')
  if (present?.state === 'paused' || present?.state === 'aborting') {
    return not('busy', `the rollout is ${present.state}`)
  }
  if (record && present?.state === 'running' && heldByOther(record, tools)) {
    return not('busy', `${record.holder} is applying a rollout with another target`)
  }
  const refusal = await refused(tools, look, intent)
  if (refusal) return refusal
  const whole = await withWebhookNodes(tools.kube, state)
  const about = { intent: withWatch(intentOf(assessment, whole, policy)), policy }
  const rollout = withTarget(await rolloutOf(tools, { state: whole, assessment }, about), present, look)
  if (record?.holder === tools.holder && present?.state === 'running' && isDecidedAnew(present, rollout))
    return continueAtPace(tools, { record, rollout: present }, paceFor(present, policy))
  await tryFirstWrite(tools, rollout, state)
  const before = present?.state === 'running' ? present : undefined
  const isSame = before?.target === rollout.target
  const next = {
    ...rollout,
    touching: before ? inFlight(before, rollout, state) : [],
    // Without a target, its end names what it has to leave.
    ...((isSame || rollout.target === undefined) && before?.written && { written: before.written }),
    // Another process may have stopped long ago: nobody saw how the nodes fared since.
    ...(isSame && record?.holder === tools.holder && before?.unwell && { unwell: before.unwell }),
    ...(before?.apart && { apart: before.apart }),
    ...(before?.careful && { careful: true as const, pace: paceFor(before, policy) }),
    ...(present?.journal && { journal: present.journal }),
  }
  return put(tools, next, { record, ...(before && { before: before.pace }) })
}

/** What is decided now renews the Lease: after it, what was remembered would count as if somebody had looked all the time. */
const asWatched = (tools: StepTools, record: RolloutRecord, rollout: Rollout): Rollout => {
  const { unwell: _unwell, ...rest } = rollout
  return isUnwatched(tools, record, rollout) ? rest : rollout
}

/**
 * A message that is delivered twice, or a concurrent one, makes the same decision. If it were written again, it would
 * be a new decision, and the step after the first one would no longer match it.
 */
const isDecidedAnew = (present: Rollout, fresh: Rollout): boolean => {
  // After the first node has the value, another node would be chosen as the first.
  const { id, canary, last, zones, why, startedAt } = present
  const alike = [fresh, present].map((it) => decisionOf({ ...it, id, canary, last, zones, why, startedAt } as Rollout))
  return alike[0] === alike[1]
}

/**
 * Where the present rollout wrote the range to `default` and nodes got it all at once, the range stays its target until
 * they have stayed well, although nothing is left to write, or only overrides with an earlier value are to be removed.
 */
const withWatched = (wanted: Intent, present: Rollout | undefined, look: AssessedCluster): Intent => {
  const base = defaultOf(look)
  if (present?.state !== 'running' || !base || !isAtOnce(base, present)) return wanted
  const target = desiredIn(base, look)
  const { withdraw: _withdraw, ...rest } = wanted
  return target === undefined ? wanted : { ...rest, target }
}

/**
 * A rollout that was interrupted after its last write of the range has it on record, so that somebody who reverts it
 * today is noticed.
 */
const withTarget = (fresh: Rollout, present: Rollout | undefined, look: AssessedCluster): Rollout => {
  if (fresh.phase !== 'restarts' || fresh.target !== undefined || present?.state !== 'running') return fresh
  const target = desiredIn(defaultOf(look), look)
  return target !== undefined && target === present.target ? { ...fresh, target } : fresh
}

const defaultOf = ({ state }: AssessedCluster): FelixObject | undefined => defaultIn(needed(state.felix).objects)

const desiredIn = (base: FelixObject | undefined, { assessment }: AssessedCluster): string | undefined => {
  const target = base?.annotations[rangeAnnotation]
  return isDesired(target, assessment) ? target : undefined
}

const isDesired = (target: string | undefined, { desired }: Assessment): boolean => {
  const parsed = parsePortList(target ?? '')
  return parsed.ok && desired !== undefined && sameRanges(parsed.ranges, desired)
}

/** All pods that it would still restart need the restart. */
const isStillDue = ({ restart }: Rollout, { nodes }: Assessment, policy: Policy): boolean =>
  nodes.every((it) => !it.calicoPod || !restart.includes(it.calicoPod.name) || needsRestart(it, policy))

/** Nodes whose pod an earlier run has deleted or was about to delete. The rollout waits for them. */
const inFlight = ({ touching }: Rollout, { restart }: Rollout, { pods, nodes }: ClusterState): Rollout['touching'] => {
  const [there, known] = [new Set(needed(pods).map(({ name }) => name)), new Set(needed(nodes).map(({ name }) => name))]
  return touching.filter(({ node, pod }) => known.has(node) && (restart.includes(pod) || !there.has(pod)))
}

const paceFor = ({ careful }: Rollout, policy: Policy): Pace => (careful ? oneByOne(paceOf(policy)) : paceOf(policy))

/** The rollout continues at the pace that is requested now. */
const continueAtPace = async (tools: StepTools, standing: LeasedRollout, pace: Pace): Promise<Beginning> => {
  const { rollout } = standing
  const decided = decisionOf(rollout)
  if (isDeepStrictEqual(pace, rollout.pace)) return { begun: true, rollout, decided }
  const next = { ...rollout, pace }
  await putRollout(tools, standing, next, { note: [paced(rollout.pace, pace)] })
  tools.tell({
    what: goesOnAtAnotherPace,
    why: JSON.stringify(pace),
    rollout: rollout.id,
    by: tools.holder,
  })
  return { begun: true, rollout: next, decided }
}

const goesOnAtAnotherPace = 'rollout continues at another pace'

const paced = (from: Pace, to: Pace): Note => ({
  what: 'pace',
  from: JSON.stringify(from),
  to: JSON.stringify(to),
  why: 'another pace was requested',
})

/** Checked before the first write: a rollout that may begin but not end would leave a cluster half changed. */
const refused = async (
  { kube }: StepTools,
  { state }: AssessedCluster,
  intent: Intent,
): Promise<Beginning | undefined> => {
  const { api, nativeV3 } = needed(state.felix)
  const namespace = calicoNamespace(state)
  const missing = await accessMissing(
    kube,
    accessNeeded({ intent, api, nativeV3, namespace, record: needed(state.rollout) }),
  )
  if (missing.length === 0) return undefined
  const why = `the cluster denies: ${missing.join(', ')}. Nothing was written. ${accessRemedy}`
  return { ...not('refused', why, ['ACCESS_DENIED']), missing }
}

const calicoNamespace = ({ daemonSets }: ClusterState): string =>
  needed(daemonSets).find(({ role }) => role === 'calico-node')?.namespace ?? 'kube-system'

/** The running rollout already covers what is still to be done, and does not write a range that is no longer wanted. */
const carriesOut = (
  present: Rollout,
  { target, restart, withdraw }: Intent,
  { assessment }: AssessedCluster,
): boolean =>
  (target === present.target || (target === undefined && isDesired(present.target, assessment))) &&
  (withdraw ?? false) === (present.phase === 'range' && present.target === undefined) &&
  restart.every(({ calicoPod }) => calicoPod && present.restart.includes(calicoPod.name))

/** `before`: the pace of the rollout that is continued. */
const put = async (
  tools: StepTools,
  rollout: Rollout,
  { record, before }: { record: RolloutRecord | undefined; before?: Pace },
): Promise<Beginning> => {
  const isHurried = before !== undefined && !isDeepStrictEqual(before, rollout.pace)
  try {
    await putRollout(tools, { record }, rollout, {
      note: [isHurried ? paced(before, rollout.pace) : begin(rollout)],
    })
  } catch (error) {
    const began = error instanceof KubeError && error.kind === 'conflict' ? await othersRollout(tools) : undefined
    // After any other change the cluster is evaluated again.
    if (began === undefined) throw error
    return not('busy', began)
  }
  const { id, why: cause } = rollout
  const what = before === undefined ? 'rollout begins' : isHurried ? goesOnAtAnotherPace : 'rollout goes on'
  tools.tell({ what, why: summary(rollout), rollout: id, by: tools.holder, cause })
  return { begun: true, rollout, decided: decisionOf(rollout) }
}

/** The rollout that another process began since the Lease was read. */
const othersRollout = async (tools: StepTools): Promise<string | undefined> => {
  const record = valueOf(await tools.kube.lease())
  const there = soundRollout(record, tools.now().getTime())
  if (!record || there?.state !== 'running' || !heldByOther(record, tools)) return undefined
  return `another rollout (${summary(there)}) began in this cluster at the same time, by ${record.holder}`
}

const begin = ({ target }: Rollout): Note => ({ what: 'begin', ...(target !== undefined && { to: target }) })

const summary = ({ target, restart }: Rollout): string =>
  [target && `range ${target}`, restart.length > 0 && counted(restart.length, 'calico-node restart')]
    .filter(Boolean)
    .join(', ') || 'it waits for touched nodes'

const rolloutOf = async (
  tools: StepTools,
  { state, assessment }: AssessedCluster,
  { intent, policy }: { intent: Intent; policy: Policy },
): Promise<Rollout> => {
  const felix = needed(state.felix)
  const { calico: { version: calico, install } = {}, serviceRange } = assessment.report
  const { source: known, min = 0, max = 0 } = serviceRange ?? {}
  const restart = intent.restart.flatMap(({ calicoPod }) => (calicoPod ? [calicoPod.name] : []))
  return {
    id: idOf(state, intent, restart),
    state: 'running',
    phase: intent.target === undefined && !intent.withdraw ? 'restarts' : 'range',
    pace: paceOf(policy),
    where: {
      api: felix.api,
      ...(calico && { calico }),
      ...(specMayBeWritten(install, parseVersion(calico)) && { spec: true }),
      ...(known && known !== 'default' && { known }),
      ...(known === 'flag' && { given: { min, max } }),
    },
    skip: intent.skip,
    defaulted: intent.target === undefined ? [] : await serverDefaults(tools.kube, felix, intent.target),
    restart,
    touching: [],
    startedAt: tools.now().toISOString(),
    why: whyOf(assessment, intent),
    ...(intent.target !== undefined && { target: intent.target }),
    ...(intent.canary !== undefined && { canary: intent.canary }),
    ...(intent.last.length > 0 && { last: intent.last }),
    ...(intent.zones && { zones: intent.zones }),
  }
}

/** Codes of the findings that the rollout fixes; without findings, its purpose in words. */
const whyOf = ({ report }: Assessment, { target, restart }: Intent): string => {
  const found = new Set(report.findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code))
  const range =
    target === undefined ? [] : [...found].filter((code) => code.startsWith('RANGE_') && code !== 'RANGE_HOST_PORTS')
  const mode = restart.length === 0 ? [] : [...found].filter((code) => code === 'FELIX_MISSED_MODE')
  const codes = [...range, ...mode].join(' ')
  return codes || (target !== undefined ? 'overrides of ours are left' : inWords(restart.length))
}

const inWords = (restarts: number): string =>
  restarts > 0 ? 'the policy requires restarts after every change of mode' : reasonGone

/** The id is derived from the cluster and the changes, so a second attempt to begin has the same id. */
const idOf = ({ cluster, felix }: ClusterState, intent: Intent, restart: string[]): string => {
  const base = defaultIn(valueOf(felix)?.objects ?? [])
  const parts = [cluster.arn ?? cluster.name, base?.uid, intent.target, ...restart.toSorted()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}
