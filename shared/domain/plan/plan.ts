import type { Assessment, NodeAssessment } from '../assess/assessment.ts'
import type { ClusterState, FelixObject } from '../cluster.ts'
import { felixByDefault, intentOf, type Intent } from './intent.ts'
import { budget, type Policy } from '../policy/policy.ts'
import { parsePortList, validRangesForWrite } from '../ports.ts'
import {
  carriedFrom,
  newOverride,
  overrideName,
  setRange,
  unsetRange,
  type RangeValue,
} from '../rollout/range-writes.ts'
import { keptCopy } from '../capture/annotations.ts'
import { copyKey } from '../felix/metadata-copy.ts'
import { mapped } from '../plain.ts'
import { preconditionsOf } from './preconditions.ts'
import { valueOf } from '../read.ts'
import type { CalicoApi, Change, Forecast, Plan } from '../report.ts'
import { overrideKey, rangeAnnotation } from '../rollout/annotations.ts'
import { isOurs } from '../rollout/marks.ts'
import { withoutSecrets } from '../secrets.ts'
import { zoneOf } from '../rollout/zones.ts'
import { parseVersion, specMayBeWritten } from '../version.ts'

/**
 * The ordered changes that would bring the cluster in step, and what they disturb. Nothing to do and nothing allowed
 * both have no changes; `blockedBy` tells them apart.
 */
export const plan = (assessment: Assessment, state: ClusterState, policy: Policy): Plan =>
  planOf(intentOf(assessment, state, policy), assessment, { state, policy })

export const planOf = (
  intent: Intent,
  assessment: Assessment,
  about: { state: ClusterState; policy: Policy },
): Plan => {
  const writes = intent.withdraw ? withdrawals(about.state) : rangeChanges(intent, assessment, about)
  const restarts = intent.restart.flatMap(({ calicoPod }) => (calicoPod ? [restartOf(calicoPod)] : []))
  const changes = [...writes, ...restarts].map(published)
  return {
    strategy: about.policy.strategy,
    changes,
    forecast: forecast(intent, assessment, about.policy),
    blockedBy: intent.blockedBy,
    ...(changes.length > 0 && { preconditions: preconditionsOf(changes, assessment, about) }),
  }
}

/**
 * A plan is printed and stored, so it does not contain other content of an object. The write itself is computed again
 * from the object.
 */
const published = (change: Change): Change =>
  change.patch ? { ...change, patch: mapped(withKeptCopy(change.patch), withoutSecrets) as object } : change

const withKeptCopy = (patch: { metadata?: { annotations?: Record<string, string | null> } }): object => {
  const copy = patch.metadata?.annotations?.[copyKey]
  return typeof copy === 'string'
    ? {
        ...patch,
        metadata: { ...patch.metadata, annotations: { ...patch.metadata?.annotations, [copyKey]: keptCopy(copy) } },
      }
    : patch
}

/**
 * The value as written: the text is not changed; the spec's items come from its parsed form, if the spec may be
 * written.
 */
export const rangeValue = (target: string, withSpec: boolean | undefined): RangeValue => {
  const parsed = parsePortList(target)
  const checked = parsed.ok ? validRangesForWrite(parsed.ranges) : parsed
  if (!checked.ok) throw new Error(`The range ${target} is not written: ${checked.reason}`)
  const { spec, ...value } = { ...checked, annotation: target }
  return withSpec && spec ? { ...value, spec } : value
}

const restartOf = ({ namespace, name }: { namespace: string; name: string }): Change => ({
  action: 'restart',
  apiVersion: 'v1',
  kind: 'Pod',
  namespace,
  name,
})

const rangeChanges = (
  intent: Intent,
  { report }: Assessment,
  { state, policy }: { state: ClusterState; policy: Policy },
): Change[] => {
  const felix = valueOf(state.felix)
  if (!felix || intent.target === undefined) return []
  const { calico } = report
  const value = rangeValue(intent.target, specMayBeWritten(calico?.install, parseVersion(calico?.version)))
  const byName = new Map(felix.objects.map((object) => [object.name, object]))
  const names = overridden(intent, policy)
  const write = writer(felix.api)
  const base = byName.get('default')
  const overrides = names.map((node) => write.override(node, value, { object: byName.get(overrideName(node)), base }))
  // The copy of the metadata may hide the annotation.
  const standing = felixByDefault(report, felix.objects)
  const isPromoted = standing.outcome !== 'error' && standing.raw.KubeNodePortRanges === intent.target
  const promotion = isPromoted ? [] : [write.promotion(value, base)]
  const made = names.map(overrideName)
  const left = felix.objects.filter((it) => isOurs(it) && !made.includes(it.name))
  const removals = [...names.map((node) => byName.get(overrideName(node)) ?? overrideName(node)), ...left].map(
    write.removal,
  )
  return [...overrides, ...promotion, ...removals]
}

/** Our overrides that are removed one by one; the value of `default` is right. */
const withdrawals = (state: ClusterState): Change[] => {
  const felix = valueOf(state.felix)
  return felix ? felix.objects.filter(isOurs).map(writer(felix.api).removal) : []
}

/** The nodes that get an override first. */
const overridden = ({ scope }: Intent, { strategy }: Policy): string[] => {
  const nodes = scope.map(({ node }) => node.name)
  return strategy === 'direct' ? [] : strategy === 'canary' ? nodes.slice(0, 1) : nodes
}

const writer = (api: CalicoApi) => {
  const about = (name: string) => ({ apiVersion: api, kind: 'FelixConfiguration', name })
  return {
    override: (
      node: string,
      value: RangeValue,
      there: { object: FelixObject | undefined; base: FelixObject | undefined },
    ): Change =>
      there.object
        ? { action: 'patch', ...about(overrideName(node)), patch: setRange(there.object, value, api) }
        : {
            action: 'create',
            ...about(overrideName(node)),
            patch: newOverride(node, value, carriedFrom(there.base, [])),
          },
    promotion: (value: RangeValue, base: FelixObject | undefined): Change =>
      base
        ? { action: 'patch', ...about('default'), patch: setRange(base, value, api) }
        : { action: 'create', ...about('default'), patch: newDefault(value) },
    /** An object that existed before keeps everything except our additions. */
    removal: (object: FelixObject | string): Change => {
      if (typeof object === 'string') return { action: 'delete', ...about(object) }
      const created = object.annotations[overrideKey] === 'created' && isOurs(object)
      return created
        ? { action: 'delete', ...about(object.name) }
        : { action: 'patch', ...about(object.name), patch: unsetRange(object, api) }
    },
  }
}

export const newDefault = (value: RangeValue) => ({
  metadata: { name: 'default', annotations: { [rangeAnnotation]: value.annotation } },
  spec: value.spec ? { kubeNodePortRanges: value.spec } : {},
})

/** An override takes about a second, a restarted pod about ten seconds; both are estimates. */
const secondsPerWrite = 1
const secondsPerPod = 15

const forecast = (intent: Intent, assessment: Assessment, policy: Policy): Forecast => {
  const reached = intent.scope
  const inScope = assessment.nodes.filter(({ calicoPod, broken }) => calicoPod && !broken).length
  const limit = budget(policy.maxUnavailable, inScope)
  const zone = zoneOf(intent)
  // Nodes of one zone are changed together: zone after zone, then the nodes that go last.
  const groupOf = ({ node: { name } }: NodeAssessment) => `${intent.last.includes(name)} ${zone(name)}`
  const groupsOf = (nodes: NodeAssessment[]): number[] =>
    Object.values(Object.groupBy(nodes, groupOf)).map((members = []) => members.length)
  const groups = groupsOf(reached)
  const atOnce = {
    staged: Math.min(limit, Math.max(0, ...groups)),
    canary: Math.max(reached.length - 1, Math.min(1, reached.length)),
    direct: reached.length,
  }
  const pods = groupsOf(intent.restart)
  const seconds = duration(groups, policy, limit) + waves(pods, policy, limit) + turns(pods, limit) * secondsPerPod
  return {
    felixRestarts: reached.length,
    felixRestartsAtOnce: atOnce[policy.strategy],
    podRestarts: intent.restart.length,
    ...((reached.length > 0 || intent.restart.length > 0) && { seconds }),
  }
}

const sum = (counts: number[]): number => counts.reduce((all, count) => all + count, 0)

const duration = (groups: number[], policy: Policy, limit: number): number => {
  const nodes = sum(groups)
  switch (policy.strategy) {
    case 'staged':
      return waves(groups, policy, limit) + 2 * nodes * secondsPerWrite
    case 'canary':
      return waves([Math.min(nodes, 1)], policy, 1) + (nodes > 1 ? policy.settleSeconds : 0)
    case 'direct':
      return nodes > 0 ? policy.settleSeconds : 0
  }
}

const turns = (groups: number[], limit: number): number => sum(groups.map((nodes) => Math.ceil(nodes / limit)))

/** The first node waits longer; the rest of its zone and the other zones follow within the budget. */
const waves = (groups: number[], { canarySeconds, settleSeconds }: Policy, limit: number): number => {
  const [first = 0, ...others] = groups
  return first === 0 ? 0 : canarySeconds + turns([first - 1, ...others], limit) * settleSeconds
}
