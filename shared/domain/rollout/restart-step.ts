import type { PodState } from '../cluster.ts'
import { counted } from '../counted.ts'
import type { Rollout } from './rollout.ts'
import { lost } from './halt-step.ts'
import {
  type Flight,
  type RolloutNow,
  flightsOf,
  isLate,
  ordered,
  presentPods,
  remaining,
  restartPace,
} from './places.ts'
import { type StepInput, type Step, wait } from './step.ts'
import { besideInZone } from './zones.ts'

/**
 * Restarts calico-node's pods, as many at a time as the budget allows. Undefined: all have been restarted and are
 * well.
 */
export const restartStep = (current: RolloutNow, seen: StepInput): Step | undefined => {
  const { rollout } = current
  const { pods } = seen
  const toRestart = pods.filter(({ name, deletedAt }) => rollout.restart.includes(name) && !deletedAt)
  const cutShort = rollout.touching.flatMap(({ pod }) => toRestart.find((it) => it.name === pod) ?? [])[0]
  const flights = flightsOf(rollout, seen).filter(({ node }) => node !== cutShort?.node)
  const { settle, limit } = restartPace(rollout, seen)
  const late = lateFlight(current, flights, { seen, settle })
  if (late) return late
  const settled = flights.filter((it) => remaining(current, it, settle) === undefined).map(({ node }) => node)
  const waits = [
    ...flights.flatMap((it) => remaining(current, it, settle) ?? []),
    ...othersStarted(current, seen)
      .filter((it) => it.node !== cutShort?.node && !isLate(current, it, settle))
      .flatMap((it) => remaining(current, it, settle) ?? []),
  ]
  const away = flights.filter(({ pod }) => !pod).length
  const missing = Math.max(0, (seen.missing ?? 0) - away)
  const due = toRestart.filter(({ ready }) => ready)
  const unsettled = flights.map(({ node }) => node).filter((node) => !settled.includes(node))
  const next = cutShort ?? besideInZone(rollout, ordered(rollout, due), unsettled)
  if (next && waits.length + missing < limit)
    return { do: 'restart', pod: next, settled: [...settled, ...(seen.left ?? [])] }
  if (waits.length > 0) return wait(waits, 'the restarted nodes must stay well')
  return next
    ? wait(
        [settle],
        `${counted(missing, 'calico-node pod is', 'calico-node pods are')} missing; no other pod is restarted`,
      )
    : undefined
}

/** Other pods, which started since the rollout began, and must stay well as well. */
export const othersStarted = ({ rollout }: RolloutNow, seen: StepInput): Flight[] => {
  const apart = new Set(flightsOf(rollout, seen).map(({ node }) => node))
  return presentPods(seen.pods)
    .filter(({ node, name }) => !apart.has(node) && !rollout.restart.includes(name))
    .map((pod) => ({ node: pod.node, pod, changedAt: pod.createdAt }))
    .filter(({ changedAt }) => Date.parse(changedAt) >= Date.parse(rollout.startedAt))
}

/** A pod that did not come back in time. */
export const lateFlight = (
  current: RolloutNow,
  flights: Flight[],
  { seen, settle }: { seen: StepInput; settle: number },
): Step | undefined => {
  const late = flights.find((it) => isLate(current, it, settle))
  return late && lost(current, late, { object: podObject(current.rollout, late.node, seen.pods) })
}

/** The pod that was deleted on the node. */
const podObject = ({ touching }: Rollout, node: string, [any]: PodState[]): string =>
  `Pod/${any?.namespace ?? '-'}/${touching.find((it) => it.node === node)?.pod ?? '-'}`
