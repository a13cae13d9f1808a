import { fingerprint } from '../fingerprint.ts'
import type { Assessment } from '../assess/assessment.ts'
import type { ClusterState } from '../cluster.ts'
import type { Policy } from '../policy/policy.ts'
import { isAssumed } from '../facts/assumption.ts'
import { valueOf } from '../read.ts'
import type { Change, Plan, Preconditions, Report } from '../report.ts'

/** What must not have changed when the plan is applied: existing objects, and the facts that led to the plan. */
export const preconditionsOf = (
  changes: Change[],
  { report }: Pick<Assessment, 'report'>,
  { state, policy }: { state: Pick<ClusterState, 'felix' | 'pods'>; policy: Policy },
): Preconditions => {
  const { maxUnavailable, restarts, canarySeconds, settleSeconds, nodeDeadlineSeconds } = policy
  const felix = new Map((valueOf(state.felix)?.objects ?? []).map((it) => [it.name, it]))
  const pods = new Map((valueOf(state.pods) ?? []).map((it) => [`${it.namespace}/${it.name}`, it]))
  const objects = new Map<string, Preconditions['objects'][number]>()
  for (const { action, kind, namespace, name } of changes) {
    const pod = pods.get(`${namespace}/${name}`)
    const object = felix.get(name)
    if (action === 'restart' && namespace !== undefined && pod)
      objects.set(`${kind}/${namespace}/${name}`, { kind, namespace, name, uid: pod.uid })
    else if (action !== 'restart' && object)
      objects.set(`${kind}/${name}`, { kind, name, uid: object.uid, resourceVersion: object.resourceVersion })
  }
  return {
    objects: [...objects.values()],
    assessed: assessedFingerprint(report),
    pace: { maxUnavailable, restarts, canarySeconds, settleSeconds, nodeDeadlineSeconds },
  }
}

type Planned = Report & { plan: Plan }

/** Everything that has changed since the plan was made, in words; empty: it may be applied. */
export const whatMoved = (then: Planned, now: Planned): string[] => {
  const { preconditions } = then.plan
  const unknown = movedRange(then, now)
  if (unknown.length > 0) return [...movedCluster(then, now), ...unknown]
  const moved = [
    ...movedCluster(then, now),
    ...(preconditions ? movedObjects(preconditions, now.plan.preconditions) : []),
    ...movedFacts(then, now),
    ...movedNodes(then, now),
    ...movedChanges(then.plan, now.plan),
  ]
  const isEdited = preconditions && preconditions.assessed !== assessedFingerprint(then)
  if (isEdited) moved.push('the report in the file is not the one that its plan was made for')
  const isOther = preconditions && now.plan.preconditions && preconditions.assessed !== now.plan.preconditions.assessed
  return moved.length === 0 && isOther ? ['the cluster is no longer as it was assessed'] : moved
}

const movedCluster = ({ cluster: then }: Planned, { cluster: now }: Planned): string[] => {
  const marks = then.arn !== undefined && now.arn !== undefined ? (['arn'] as const) : (['name'] as const)
  const places = (['account', 'region'] as const).filter((it) => then[it] !== undefined && now[it] !== undefined)
  const isSame = [...marks, ...places].every((it) => then[it] === now[it])
  return isSame ? [] : [`the plan is for cluster ${titleOf(then)}, this is ${titleOf(now)}`]
}

const titleOf = ({ arn, name, region, account }: Report['cluster']): string =>
  arn ?? [name, region && `in ${region}`, account && `of account ${account}`].filter(Boolean).join(' ')

/** Other differences then follow from this one and are not listed. */
const movedRange = ({ serviceRange: then }: Planned, { serviceRange: now }: Planned): string[] =>
  then && isAssumed(now) && !isAssumed(then)
    ? [`the service range was ${then.min}:${then.max} (${then.source}), and now it is only assumed`]
    : []

const nameOf = ({ kind, namespace, name }: Pick<Change, 'kind' | 'namespace' | 'name'>): string =>
  [kind, namespace, name].filter((part) => part !== undefined).join('/')

const movedObjects = ({ objects }: Preconditions, now: Preconditions | undefined): string[] => {
  const there = new Map((now?.objects ?? []).map((object) => [nameOf(object), object]))
  return objects.flatMap((object) => {
    const name = nameOf(object)
    const other = there.get(name)
    if (!other) return [`${name} was deleted, or needs no change any more`]
    if (other.uid !== object.uid) return [`${name} was deleted and created again`]
    return other.resourceVersion === object.resourceVersion ? [] : [`${name} was changed`]
  })
}

const movedFacts = (then: Planned, now: Planned): string[] => {
  const facts: [string, (report: Report) => string | undefined][] = [
    ['the service range', ({ serviceRange: range }) => range && `${range.min}:${range.max}`],
    ['the desired range', ({ desiredRange }) => desiredRange?.join()],
    ["kube-proxy's configured mode", ({ kubeProxy }) => kubeProxy?.configuredMode],
    ["Calico's version", ({ calico }) => calico?.version],
    ["Calico's API", ({ calico }) => calico?.api],
    ['what forbids it', ({ plan }) => plan?.blockedBy.join(' ')],
  ]
  return facts
    .map(([what, of]) => [what, of(then) || 'nothing', of(now) || 'nothing'] as const)
    .filter(([, was, is]) => was !== is)
    .map(([what, was, is]) => `${what} was ${was} and is ${is}`)
}

const movedNodes = (then: Planned, now: Planned): string[] => {
  const [before, after] = [then, now].map(({ nodes }) => new Map(nodes.map((node) => [node.name, factsOf(node)]))) as [
    Map<string, string>,
    Map<string, string>,
  ]
  const left = [...before.keys()].filter((name) => !after.has(name)).map((name) => `node ${name} has left`)
  const joined = [...after.keys()].filter((name) => !before.has(name)).map((name) => `node ${name} has joined`)
  const other = [...after].filter(([name, facts]) => before.has(name) && before.get(name) !== facts)
  return [...left, ...joined, ...other.map(([name]) => `node ${name} has changed`)]
}

const movedChanges = (then: Plan, now: Plan): string[] => {
  const listed = ({ changes, strategy }: Plan) =>
    JSON.stringify([strategy, changes.map(({ patch, ...change }) => [change, withoutVersion(patch)])])
  return listed(then) === listed(now) ? [] : ['the necessary changes']
}

/** An object's version is a precondition of its own. */
const withoutVersion = (patch: object | undefined): unknown =>
  JSON.parse(JSON.stringify(patch ?? null, (key, value: unknown) => (key === 'resourceVersion' ? undefined : value)))

const factsOf = ({ name, verdict, runningMode, effectiveRange, rangeSource, felixIpvs }: Report['nodes'][number]) =>
  JSON.stringify([name, verdict, runningMode, effectiveRange, rangeSource, felixIpvs])

/** A digest of everything in the report that affects the plan; not of times and of purely informative fields. */
export const assessedFingerprint = ({
  verdict,
  serviceRange,
  desiredRange,
  calico,
  kubeProxy,
  nodes,
}: Report): string =>
  fingerprint(
    JSON.stringify([
      verdict,
      serviceRange && [serviceRange.min, serviceRange.max],
      desiredRange,
      [calico?.version, calico?.install, calico?.api],
      kubeProxy?.configuredMode,
      nodes.map(factsOf).toSorted(),
    ]),
  )
