import type { Assessment } from './assessment.ts'
import type { ClusterState, FelixObject } from './cluster.ts'
import { intentOf, rawRange, type Intent } from './intent.ts'
import { budget, type Policy } from './policy.ts'
import { parsePortList, validRangesForWrite } from './ports.ts'
import { carriedFrom, newOverride, overrideName, setRange, unsetRange, type RangeValue } from './range-writes.ts'
import { valueOf } from './read.ts'
import type { CalicoApi, Change, Forecast, Plan } from './report.ts'
import { overrideKey, rangeAnnotation } from './rollout-annotations.ts'

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
  const writes = intent.target === undefined ? [] : rangeChanges(intent, about)
  const restarts = intent.restart.flatMap(({ calicoPod }) => (calicoPod ? [restartOf(calicoPod)] : []))
  return {
    strategy: about.policy.strategy,
    changes: [...writes, ...restarts],
    forecast: forecast(intent, assessment, about.policy),
    blockedBy: intent.blockedBy,
  }
}

/** The value as written: the text is kept as it is, the spec's items come from its parsed form. */
export const rangeValue = (target: string): RangeValue => {
  const parsed = parsePortList(target)
  const checked = parsed.ok ? validRangesForWrite(parsed.ranges) : parsed
  if (!checked.ok) throw new Error(`The range ${target} is not written: ${checked.reason}`)
  return { ...checked, annotation: target }
}

const restartOf = ({ namespace, name }: { namespace: string; name: string }): Change => ({
  action: 'restart',
  apiVersion: 'v1',
  kind: 'Pod',
  namespace,
  name,
})

const rangeChanges = (intent: Intent, { state, policy }: { state: ClusterState; policy: Policy }): Change[] => {
  const felix = valueOf(state.felix)
  if (!felix || intent.target === undefined) return []
  const value = rangeValue(intent.target)
  const byName = new Map(felix.objects.map((object) => [object.name, object]))
  const names = overridden(intent, policy)
  const write = writer(felix.api)
  const base = byName.get('default')
  const overrides = names.map((node) => write.override(node, value, { object: byName.get(overrideName(node)), base }))
  const promotion = base?.annotations[rangeAnnotation] === intent.target ? [] : [write.promotion(value, base)]
  const made = names.map(overrideName)
  const left = felix.objects.filter((it) => it.annotations[overrideKey] !== undefined && !made.includes(it.name))
  const removals = [...names.map((node) => byName.get(overrideName(node)) ?? overrideName(node)), ...left].map(
    write.removal,
  )
  return [...overrides, ...promotion, ...removals]
}

/** Which nodes get an override first. */
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
    /** An object that was there before us keeps everything but what we added. */
    removal: (object: FelixObject | string): Change => {
      if (typeof object === 'string') return { action: 'delete', ...about(object) }
      const created = object.annotations[overrideKey] === 'created'
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

/** Writing an override takes a moment, a restarted pod some ten seconds; both are forecasts, not promises. */
const secondsPerWrite = 1
const secondsPerPod = 15

const forecast = (intent: Intent, assessment: Assessment, policy: Policy): Forecast => {
  const reached = intent.target === undefined ? 0 : intent.scope.filter((it) => rawRange(it) !== intent.target).length
  const inScope = assessment.nodes.filter(({ applicable, broken }) => applicable && !broken).length
  const limit = budget(policy.maxUnavailable, inScope)
  const atOnce = {
    staged: Math.min(limit, reached),
    canary: Math.max(reached - 1, Math.min(1, reached)),
    direct: reached,
  }
  const pods = intent.restart.length
  const seconds =
    duration(reached, policy, limit) + waves(pods, policy, limit) + Math.ceil(pods / limit) * secondsPerPod
  return {
    felixRestarts: reached,
    felixRestartsAtOnce: atOnce[policy.strategy],
    podRestarts: pods,
    ...((reached > 0 || pods > 0) && { seconds }),
  }
}

const duration = (nodes: number, policy: Policy, limit: number): number => {
  switch (policy.strategy) {
    case 'staged':
      return waves(nodes, policy, limit) + 2 * nodes * secondsPerWrite
    case 'canary':
      return waves(Math.min(nodes, 1), policy, 1) + (nodes > 1 ? policy.settleSeconds : 0)
    case 'direct':
      return nodes > 0 ? policy.settleSeconds : 0
  }
}

const waves = (nodes: number, { canarySeconds, settleSeconds }: Policy, limit: number): number =>
  nodes === 0 ? 0 : canarySeconds + Math.ceil((nodes - 1) / limit) * settleSeconds
