import type { FelixObject, PodState } from '../cluster.ts'
import type { HaltEvidence } from './halt-evidence.ts'
import {
  type Clock,
  flightsOf,
  isLate,
  notWell,
  ordered,
  paceAfter,
  pendingPlaces,
  type Place,
  placesOf,
  remaining,
  restarted,
  type Flight,
} from './places.ts'
import { changedAtKey, overrideKey, rangeAnnotation } from './annotations.ts'
import { overriddenNode, overrideName } from './range-writes.ts'
import type { Strategy } from '../report.ts'
import type { Rollout } from '../rollout.ts'
import { besideInZone } from './zones.ts'

/** What a step can see: the FelixConfigurations, calico-node's pods, and what Felix on a pod's node makes of the objects. */
export interface Seen {
  objects: FelixObject[]
  pods: PodState[]
  /** The raw text of the range that counts on the pod's node; `undefined`: Felix's built-in default. */
  rangeOn: (pod: PodState) => string | undefined
  /** The same for a node that has no object of its own. */
  defaultRange: string | undefined
  /** Why Felix would refuse its configuration as it stands now, and the objects it would refuse: `FelixConfiguration/node.n1`. */
  trouble?: { reason: string; objects: readonly string[] }
  /** Of the nodes that were touched: those that have left the cluster, so that nobody waits for their pods. */
  left?: ReadonlySet<string>
}

/** A node that did not come back, or does not take what was written. */
export interface Lost {
  node: string
  pod?: PodState
  wrote: NonNullable<HaltEvidence['wrote']>
}

/** One effect on the cluster, or why there is none now. */
export type Step =
  | { do: 'override'; node: string; object?: FelixObject }
  | { do: 'promote' }
  | { do: 'remove-override'; object: FelixObject }
  /** Takes the range off our override, which stays and says since when, until the node has stayed well. */
  | { do: 'take-back'; node: string; object: FelixObject }
  | { do: 'begin-restarts' }
  | { do: 'restart'; pod: PodState; settled: string[] }
  | { do: 'wait'; seconds: number; why: string }
  /** `about`: the node to be looked at more closely first. `takeBack`: nodes off which our overrides are to be taken, it first. */
  | { do: 'halt'; reason: string; about?: Lost; takeBack?: string[] }
  | { do: 'finish' }

/**
 * Decides the next step from what is there, whatever happened before: nodes that joined or left, steps that were
 * carried out twice or cut short all look the same to it. `now` is RFC 3339.
 */
export const nextStep = (rollout: Rollout, seen: Seen, now: string): Step => {
  const clock: Clock = { rollout, now: Date.parse(now) }
  if (rollout.state === 'aborting') return abortStep(clock, seen)
  if (rollout.phase === 'restarts') return restartStep(clock, seen) ?? { do: 'finish' }
  return rangeStep(clock, seen) ?? (rollout.restart.length > 0 ? { do: 'begin-restarts' } : { do: 'finish' })
}

const rangeStep = (clock: Clock, seen: Seen): Step | undefined => {
  const { target, pace } = clock.rollout
  if (target === undefined) return undefined
  const places = placesOf(clock.rollout, seen)
  if (seen.trouble) return refused(clock, places, seen.trouble)
  const touched = places.filter((it) => it.override?.annotations[rangeAnnotation] === target && it.changedAt)
  const trouble = troubleWith(clock, touched, target)
  if (trouble) return trouble
  // Overrides that are taken off again must not make the last of them a first node.
  const promoted = seen.defaultRange === target
  const { settle, limit } = paceAfter(clock.rollout, promoted ? places.length : touched.length, places.length)
  const away = awayFrom(seen)
  const gone = away.find(({ node }) => seen.left?.has(node))
  if (gone) return { do: 'remove-override', object: gone.object }
  const waits = [...touched.flatMap((it) => remaining(clock, it, settle) ?? []), ...away.map(() => settle)]
  const unsettled = touched.filter((it) => remaining(clock, it, settle) !== undefined).map(({ node }) => node)
  const ill = touched.filter(({ pod }) => !pod.ready).map(({ node }) => node)
  if (ill.length > 0)
    return wait(waits, `not well since it was changed: ${ill.join(', ')}; until it is, no other is touched`)
  const next = besideInZone(clock.rollout, pendingPlaces(clock.rollout, places), unsettled)
  if (next && wantsOverride(pace.strategy, touched.length) && waits.length < limit) return overrideStep(next, seen)
  return waits.length > 0 ? wait(waits, 'the changed nodes must stay well') : afterOverrides(clock, seen, places)
}

/** Our overrides on nodes that have no calico-node pod just now: who was touched is waited for, who has left is not. */
const awayFrom = ({ objects, pods }: Seen): { node: string; object: FelixObject }[] => {
  const there = new Set(pods.map(({ node }) => node))
  return objects
    .filter(({ annotations }) => annotations[overrideKey] !== undefined)
    .map((object) => ({ node: overriddenNode(object), object }))
    .filter(({ node }) => !there.has(node))
}

/** Who changes it back has a reason, or is a tool that never tires: it is not written a second time. */
const revertedReason = (target: string | undefined): string =>
  `FelixConfiguration default was given ${target}, and somebody changed it back before the rollout was over`

const wantsOverride = (strategy: Strategy, touched: number): boolean =>
  strategy === 'staged' || (strategy === 'canary' && touched === 0)

const overrideStep = ({ node }: Place, { objects }: Seen): Step => {
  const object = objects.find(({ name }) => name === overrideName(node))
  return { do: 'override', node, ...(object && { object }) }
}

/** Every node in scope is right and well; now `default` takes the value, and then our overrides are not needed any more. */
const afterOverrides = (clock: Clock, { objects, defaultRange }: Seen, places: Place[]): Step | undefined => {
  const { target, pace } = clock.rollout
  const base = objects.find(({ name }) => name === 'default')
  const promotedAt = base?.annotations[changedAtKey]
  if (defaultRange !== target) {
    if (!promotedAt || promotedAt < clock.rollout.startedAt) return { do: 'promote' }
    const stands = base?.annotations[rangeAnnotation] === target
    return { do: 'halt', reason: stands ? deafReason('default', defaultRange, target) : revertedReason(target) }
  }
  const atOnce = pace.strategy !== 'staged' && promotedAt ? places.map((it) => ({ ...it, changedAt: promotedAt })) : []
  const late = atOnce.find((it) => isLate(clock, it))
  if (late)
    return lost(clock, late, { object: 'FelixConfiguration/default', ...(target !== undefined && { value: target }) })
  const waits = atOnce.flatMap((it) => remaining(clock, it, pace.settleSeconds) ?? [])
  if (waits.length > 0) return wait(waits, 'all nodes took the value at once and must stay well')
  const left = objects.find((object) => object.annotations[overrideKey] !== undefined)
  return left && { do: 'remove-override', object: left }
}

const restartStep = (clock: Clock, seen: Seen): Step | undefined => {
  const { rollout } = clock
  const { pods } = seen
  const cutShort = rollout.touching.flatMap(({ pod }) => pods.find((it) => it.name === pod && !it.deletedAt) ?? [])[0]
  const flights = flightsOf(rollout, seen).filter(({ node }) => node !== cutShort?.node)
  const late = flights.find((it) => isLate(clock, it))
  if (late) return lost(clock, late, { object: podObject(rollout, late.node) })
  const { settle, limit } = paceAfter(rollout, restarted(rollout.restart, pods), pods.length)
  const settled = flights.filter((it) => remaining(clock, it, settle) === undefined).map(({ node }) => node)
  const waits = [
    ...flights.flatMap((it) => remaining(clock, it, settle) ?? []),
    ...othersUnwell(clock, pods, [...flights.map(({ node }) => node), cutShort?.node], settle),
  ]
  const due = pods.filter(({ name, ready, deletedAt }) => rollout.restart.includes(name) && ready && !deletedAt)
  const unsettled = flights.map(({ node }) => node).filter((node) => !settled.includes(node))
  const next = cutShort ?? besideInZone(rollout, ordered(rollout, due), unsettled)
  if (next && waits.length < limit) return { do: 'restart', pod: next, settled: [...settled, ...(seen.left ?? [])] }
  return waits.length > 0 ? wait(waits, 'the restarted nodes must stay well') : undefined
}

/** Seconds that further pods born since the rollout began have to stay well, if they fell ill again: for as long as a node may take. */
const othersUnwell = (clock: Clock, pods: PodState[], apart: (string | undefined)[], settle: number): number[] =>
  pods
    .filter(({ node, name, deletedAt }) => !deletedAt && !apart.includes(node) && !clock.rollout.restart.includes(name))
    .map((pod) => ({ node: pod.node, pod, changedAt: pod.createdAt }))
    .filter((it) => Date.parse(it.changedAt) >= Date.parse(clock.rollout.startedAt) && !isLate(clock, it))
    .flatMap((it) => remaining(clock, it, settle) ?? [])

/**
 * Takes our overrides back, one node after the other where that restarts its Felix; what `default` has taken stays. An
 * override that lost its range still says since when; it is removed when its node has stayed well.
 */
const abortStep = (clock: Clock, seen: Seen): Step => {
  const { objects, pods, defaultRange } = seen
  const { target, pace } = clock.rollout
  const ours = objects.filter((object) => object.annotations[overrideKey] !== undefined)
  const podOf = ({ name }: FelixObject) => pods.find(({ node, deletedAt }) => name === overrideName(node) && !deletedAt)
  const places = ours.flatMap((object) => {
    const [pod, changedAt] = [podOf(object), object.annotations[changedAtKey]]
    return pod ? [{ node: pod.node, pod, object, ...(changedAt && { changedAt }) }] : []
  })
  const withdrawn = places.filter(({ object }) => object.annotations[rangeAnnotation] === undefined)
  const late = [...flightsOf(clock.rollout, seen), ...withdrawn].find((it) => isLate(clock, it))
  if (late) return lost(clock, late, { object: `FelixConfiguration/${overrideName(late.node)}` })
  const unsettled = places.filter((it) => remaining(clock, it, pace.settleSeconds) !== undefined)
  const harmless = ours.find((object) => {
    const place = places.find((it) => it.object === object)
    return !place || target === defaultRange || (withdrawn.includes(place) && !unsettled.includes(place))
  })
  if (harmless) return { do: 'remove-override', object: harmless }
  const waits = [...flightsOf(clock.rollout, seen), ...unsettled].flatMap(
    (it) => remaining(clock, it, pace.settleSeconds) ?? [],
  )
  // Who is disturbed already can be taken back at once without disturbing one more.
  const next =
    unsettled.find((it) => !withdrawn.includes(it)) ??
    (waits.length === 0 ? places.find((it) => !withdrawn.includes(it)) : undefined)
  if (next) return { do: 'take-back', node: next.node, object: next.object }
  return waits.length > 0 ? wait(waits, 'the node whose override was taken back must stay well') : { do: 'finish' }
}

/** Where it is an override that we made, whoever wrote what Felix refuses, the node is well again without it. */
const refused = (clock: Clock, places: Place[], { reason, objects }: NonNullable<Seen['trouble']>): Step => {
  const made = ({ override }: Place) => override?.annotations[overrideKey] === 'created'
  const ours = places.find((it) => made(it) && objects.includes(`FelixConfiguration/${overrideName(it.node)}`))
  if (!ours) return { do: 'halt', reason }
  const wrote = { object: `FelixConfiguration/${overrideName(ours.node)}` }
  return { ...lost(clock, ours, wrote), reason: `${ours.node}: ${reason}`, takeBack: withUnwell(ours, places) }
}

const troubleWith = (clock: Clock, touched: Place[], target: string): Step | undefined => {
  const ours = ({ node }: Place) => ({ object: `FelixConfiguration/${overrideName(node)}`, value: target })
  const deaf = touched.find(({ range }) => range !== target)
  if (deaf) {
    const reason = deafReason(overrideName(deaf.node), deaf.range, target)
    return { ...lost(clock, deaf, ours(deaf)), reason, takeBack: withUnwell(deaf, touched) }
  }
  const late = touched.find((it) => isLate(clock, it))
  return late && { ...lost(clock, late, ours(late)), takeBack: withUnwell(late, touched) }
}

/** Who was touched in the same moment may be as ill and only a second behind: nobody would come back for them after the halt. */
const withUnwell = (first: Place, places: Place[]): string[] => {
  const others = places.filter(({ node, pod, changedAt }) => node !== first.node && changedAt && !pod.ready)
  return [first.node, ...others.map(({ node }) => node)]
}

const lost = (clock: Clock, it: Flight, { object, value }: Lost['wrote']): Extract<Step, { do: 'halt' }> => ({
  do: 'halt',
  reason: notWell(clock, it),
  about: {
    node: it.node,
    ...(it.pod && { pod: it.pod }),
    wrote: { object, ...(value !== undefined && { value }), ...(it.changedAt && { at: it.changedAt }) },
  },
})

/** The pod that was deleted on the node. */
const podObject = ({ touching, where }: Rollout, node: string): string =>
  `Pod/${where.pods.namespace}/${touching.find((it) => it.node === node)?.pod ?? '-'}`

/** A write that does not count, such as one hidden by a copy of the metadata, must not be taken for a change. */
const deafReason = (object: string, counts: string | undefined, target: string | undefined): string =>
  `FelixConfiguration ${object} was written, but what counts is ${counts ?? "Felix's built-in default"}, not ${target}`

const wait = (seconds: number[], why: string): Step => ({
  do: 'wait',
  seconds: Math.ceil(Math.min(...seconds)) || 1,
  why,
})
