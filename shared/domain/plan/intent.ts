import { isAssumed, isGiven, isOfEks } from '../facts/assumption.ts'
import type { Assessment, NodeAssessment } from '../assess/assessment.ts'
import type { ClusterState, FelixObject } from '../cluster.ts'
import { indexFelix } from '../felix/felix-index.ts'
import type { FelixResolution } from '../felix/values.ts'
import { parseVersion } from '../version.ts'
import { exceptionsFor, forbidsBy } from '../policy/exception.ts'
import {
  rangesAtMost,
  rangeTextAtMost,
  annotationValue,
  parsePortList,
  sameRanges,
  validRangesForWrite,
  type PortRange,
} from '../ports.ts'
import { budget, type Policy } from '../policy/policy.ts'
import { valueOf } from '../read.ts'
import type { Finding, FindingCode } from '../report.ts'
import { rangeAnnotation } from '../rollout/annotations.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { isMarked, isOurs } from '../rollout/marks.ts'
import { ordered, pendingPlaces } from '../rollout/places.ts'
import { defaultIn, overrideOn } from '../rollout/range-writes.ts'
import { zonesToKeep } from '../rollout/zones.ts'

/** What must be done and what blocks it. `plan` lists it as changes, `rollout` applies it. */
export interface Intent {
  blockedBy: FindingCode[]
  /** The target value of the annotation; absent: no range is to be changed. */
  target?: string
  /** The reason for the change no longer exists: our overrides with another value than `default` are removed. */
  withdraw?: true
  /** Nodes whose Felix gets the new value, in the order of the rollout. */
  scope: NodeAssessment[]
  /** Nodes on which a layer above `default` decides: a write to `default` has no effect there. */
  skip: string[]
  restart: NodeAssessment[]
  canary?: string
  /** Nodes that are changed after all others. */
  last: string[]
  /** The nodes by zone, if more than one node may be disturbed at a time. */
  zones?: Exclude<Rollout['zones'], undefined>
}

export const intentOf = (assessment: Assessment, state: ClusterState, policy: Policy): Intent => {
  const excepted = forbidsBy(exceptionsFor(policy.exceptions, state.cluster, Date.parse(state.observedAt)))
  const ranges = excepted.range ? nothing : rangeIntent(assessment, state)
  const restart = excepted.restarts
    ? []
    : assessment.nodes.filter((it) => needsRestart(it, policy) && !it.broken && it.node.ready)
  const wanted =
    ranges.target !== undefined || ranges.withdraw === true || restart.length > 0 || ranges.shadowed || ranges.assumed
  const blockedBy = blocks(assessment, policy, { ...ranges, wanted })
  if (blockedBy.length > 0) return { blockedBy, scope: [], skip: [], restart: [], last: [] }
  const scope = pendingPlaces({ ...(ranges.goal !== undefined && { target: ranges.goal }) }, ranges.places)
  const last = lastOf([...scope.map(({ it }) => it), ...restart], valueOf(state.webhookNodes))
  const canary = chooseCanary(scope.length > 0 ? scope.map(({ it }) => it) : restart, last)
  const nodes = valueOf(state.nodes) ?? []
  const zones = zonesToKeep(nodes, budget(policy.maxUnavailable, nodes.length))
  const turns = { last, ...(canary !== undefined && { canary }), ...(zones && { zones }) }
  const named = restart.map((it) => ({ node: it.node.name, it }))
  return {
    blockedBy,
    scope: ordered(turns, scope).map(({ it }) => it),
    skip: ranges.skip,
    restart: ordered(turns, named).map(({ it }) => it),
    ...(ranges.target !== undefined && { target: ranges.target }),
    ...(ranges.withdraw && { withdraw: true as const }),
    ...turns,
  }
}

export const isNothing = ({ target, withdraw, restart }: Intent): boolean =>
  target === undefined && !withdraw && restart.length === 0

interface RangeIntent {
  target?: string
  withdraw?: true
  /** The final text: the target, or the value of `default`. */
  goal?: string | undefined
  /** Nodes whose range is decided by `default` or by an override of ours. */
  places: ReturnType<typeof placeOf>[]
  skip: string[]
  /** Nodes differ, but only where another layer would hide our write. */
  shadowed: boolean
  /** The desired range is only assumed, so nothing is changed. */
  assumed: boolean
}

const nothing: RangeIntent = { places: [], skip: [], shadowed: false, assumed: false }

const rangeIntent = (assessment: Assessment, state: ClusterState): RangeIntent => {
  const objects = valueOf(state.felix)?.objects
  const reached = assessment.nodes.filter((it): it is Running => it.calicoPod !== undefined && it.felix !== undefined)
  if (!objects || !reached.some(({ runningMode }) => runningMode === 'ipvs')) return nothing
  const unfinished = objects.some(isOurs)
  if (isAssumed(assessment.report.serviceRange))
    return { ...nothing, assumed: unfinished || isLoud(assessment.report, 'RANGE_ASSUMED') }
  if (!assessment.desired) return nothing
  const ours = reached.filter((it) => isOursToChange(it, objects))
  const differs = reached.filter(({ rangeDiffers }) => rangeDiffers)
  if (differs.length === 0 && !unfinished) return nothing
  if (!differs.some((it) => ours.includes(it)) && !unfinished) return { ...nothing, shadowed: true }
  const places = ours.map((it) => placeOf(it, objects))
  // A node whose override somebody changed is not touched, but our write disturbed it: the rollout waits for it.
  const skip = reached.filter((it) => !ours.includes(it) && !isDisturbed(it, objects)).map(({ node }) => node.name)
  const standing = reasonGone(assessment, objects)
  if (standing) {
    const overridden = places.filter(
      ({ it }) => it.felix.outcome !== 'error' && it.felix.sources.KubeNodePortRanges === 'host',
    )
    return { ...nothing, withdraw: true, goal: standing.text, places: overridden, skip }
  }
  const target = targetText(assessment.desired, objects)
  return { ...nothing, target, goal: target, places, skip }
}

/**
 * `default` has the desired value, or needs none, and some of our overrides have another value or are not needed:
 * their reason no longer exists.
 */
const reasonGone = (
  { desired, report }: Assessment,
  objects: FelixObject[],
): { text: string | undefined } | undefined => {
  const isWanted = (text: string | undefined): boolean => {
    const parsed = text === undefined ? undefined : parsePortList(text)
    return parsed?.ok === true && desired !== undefined && sameRanges(parsed.ranges, desired)
  }
  const left = objects.filter(isOurs)
  if (left.length === 0) return undefined
  const felix = felixByDefault(report, objects)
  if (felix.outcome === 'error' || !desired) return undefined
  const { effectiveRange } = felix.values
  const text = felix.raw.KubeNodePortRanges
  // Felix's built-in default is not written as text, because that would restart Felix on every node.
  const isOther = text === undefined || left.some((it) => !isWanted(it.annotations[rangeAnnotation]))
  return isOther && effectiveRange && sameRanges(effectiveRange, desired) ? { text } : undefined
}

/** Felix's configuration on a node of which `default` decides. */
export const felixByDefault = ({ calico: found }: Assessment['report'], objects: FelixObject[]): FelixResolution => {
  const calico = parseVersion(found?.version)
  const base = objects.filter(({ name }) => name === 'default')
  const api = found?.api ?? 'crd.projectcalico.org/v1'
  return indexFelix({ objects: base, api, ...(calico && { calico }) }).resolve(nobody)
}

/** A node that has no object of its own. */
const nobody = { nodeName: '', nodeLabels: {}, env: [] }

type Running = NodeAssessment & Required<Pick<NodeAssessment, 'calicoPod' | 'felix'>>

const placeOf = (it: Running, objects: FelixObject[]) => {
  const range = rawRange(it)
  const object = overrideOn(objects, it.node.name)
  const pod = { ready: it.calicoPod.ready && !it.calicoPod.deletedAt && it.node.ready }
  const foreign = object && isMarked(object) && !isOurs(object)
  return { it, node: it.node.name, pod, ...(range !== undefined && { range }), ...(foreign && { foreign }) }
}

const isDisturbed = ({ node }: NodeAssessment, objects: FelixObject[]): boolean => {
  const object = overrideOn(objects, node.name)
  return object !== undefined && isMarked(object)
}

/** The layer that decides is `default`, an override of this tool, or none. */
const isOursToChange = ({ felix, node }: NodeAssessment, objects: FelixObject[]): boolean => {
  if (!felix || felix.outcome === 'error') return false
  const source = felix.sources.KubeNodePortRanges
  if (source !== 'host') return source === 'global' || source === 'default'
  return objects.some((it) => it.name === `node.${node.name}` && isOurs(it))
}

export const rawRange = ({ felix }: NodeAssessment): string | undefined =>
  felix && felix.outcome !== 'error' ? felix.raw.KubeNodePortRanges : undefined

/**
 * An existing equivalent text is kept: Felix compares the text, so another notation would restart Felix on every
 * node. The Lease has no room for one that is longer than any of ours.
 */
const targetText = (desired: PortRange[], objects: FelixObject[]): string => {
  const present = defaultIn(objects)?.annotations[rangeAnnotation]
  const parsed = present === undefined || present.length > rangeTextAtMost ? undefined : parsePortList(present)
  return present !== undefined && parsed?.ok && sameRanges(parsed.ranges, desired) ? present : annotationValue(desired)
}

export const needsRestart = ({ missedMode, olderThanMode }: NodeAssessment, { restarts }: Policy): boolean => {
  switch (restarts) {
    case 'auto':
      return missedMode
    case 'always':
      return missedMode || olderThanMode
    case 'never':
      return false
  }
}

/** Findings that block every write. */
const forbidding: readonly FindingCode[] = [
  'UNREACHABLE',
  'ACCESS_DENIED',
  'CLUSTER_UPDATING',
  'CALICO_MIGRATING',
  'CALICO_API_UNAVAILABLE',
  'RANGE_INVALID',
  'FLAPPING',
  'ROLLOUT_HALTED',
  'ROLLOUT_STATE_INVALID',
]

const blocks = (
  { report, desired }: Assessment,
  policy: Policy,
  { wanted, shadowed, assumed }: RangeIntent & { wanted: boolean },
): FindingCode[] => {
  const found = new Set(report.findings.map(({ code }) => code))
  if (found.has('CLUSTER_IDENTITY')) return ['CLUSTER_IDENTITY']
  const undecided = report.verdict === 'unknown' || report.verdict === 'changing'
  if (!wanted && !undecided) return []
  const withoutEks = assumed || isGiven(report.serviceRange)
  const codes = forbidding.filter(
    (code) => found.has(code) && forbids(report, code) && !(withoutEks && isOfEksAlone(report, code)),
  )
  if (assumed) codes.push('RANGE_ASSUMED')
  if (shadowed) codes.push('RANGE_SHADOWED')
  if (wanted && found.has('OWNED_BY_GITOPS') && !policy.ignoreOwner) codes.push('OWNED_BY_GITOPS')
  if (wanted && desired && !validRangesForWrite(desired).ok) codes.push('RANGE_INVALID')
  if (wanted && desired && desired.length > rangesAtMost) codes.push('STRAY_NODE_PORT')
  if (undecided && codes.length === 0 && isLoud(report, 'RANGE_INVALID')) codes.push('RANGE_INVALID')
  if (undecided && codes.length === 0) codes.push(report.verdict === 'changing' ? 'CLUSTER_UPDATING' : 'MODE_UNPROVEN')
  return [...new Set(codes)]
}

/**
 * EKS did not describe its cluster. If the range is therefore assumed, RANGE_ASSUMED blocks the plan; a probed or
 * given range does not need EKS.
 */
const isOfEksAlone = ({ findings }: Assessment['report'], code: FindingCode): boolean =>
  findings
    .filter((it) => it.code === code)
    .every(({ evidence }) => evidence.length > 0 && evidence.every(({ object }) => isOfEks(object)))

/** An object with a mark that is not ours is not touched, and does not block the rest of the plan. */
const forbids = (report: Assessment['report'], code: FindingCode): boolean => {
  if (code === 'RANGE_INVALID') return isCritical(report, code)
  return code !== 'ROLLOUT_STATE_INVALID' || report.findings.some((it) => it.code === code && isLease(it))
}

const isLease = ({ subject }: Finding): boolean => subject.startsWith('Lease/')

const isLoud = ({ findings }: Assessment['report'], code: FindingCode): boolean =>
  findings.some((it) => it.code === code && it.severity !== 'info')

const isCritical = ({ findings }: Assessment['report'], code: FindingCode): boolean =>
  findings.some((it) => it.code === code && it.severity === 'critical')

/** The maximum in a Lease. If more nodes than this run webhooks, no single one matters. */
const lastAtMost = 100

/**
 * Nodes that run webhooks for our own writes: if the network of such a node fails, the API server could not accept
 * our rollback. They are changed last. If they are not known, or are all nodes, the order ignores them.
 */
const lastOf = (nodes: NodeAssessment[], serving: string[] = []): string[] => {
  const last = nodes.map(({ node }) => node.name).filter((name) => serving.includes(name))
  return last.length > lastAtMost || last.length === nodes.length ? [] : [...new Set(last)].toSorted()
}

/**
 * The first node is well, is not one of the last, and uses the range (without IPVS Felix creates no rules from it, so
 * the node would prove little). If possible it is not the only node of its zone or node group, so that a fault
 * affects no whole zone or group.
 */
const chooseCanary = (nodes: NodeAssessment[], last: string[]): string | undefined => {
  const alone = (label: string, it: NodeAssessment) =>
    nodes.filter(({ node }) => node.labels[label] === it.node.labels[label]).length === 1
  const spare = (it: NodeAssessment) =>
    Number(alone('topology.kubernetes.io/zone', it)) + Number(alone('eks.amazonaws.com/nodegroup', it))
  const isLast = ({ node }: NodeAssessment) => Number(last.includes(node.name))
  const isIdle = ({ runningMode }: NodeAssessment) => Number(runningMode !== 'ipvs')
  const rank = (a: NodeAssessment, b: NodeAssessment) =>
    isLast(a) - isLast(b) || isIdle(a) - isIdle(b) || spare(a) - spare(b) || byName(a, b)
  return nodes.toSorted(rank)[0]?.node.name
}

const byName = (a: NodeAssessment, b: NodeAssessment): number => (a.node.name < b.node.name ? -1 : 1)
