import { nextStep } from './next-step.ts'
import type { StepInput, Step } from './step.ts'
import {
  type RolloutNow,
  flightsOf,
  isLate,
  ordered,
  pendingPlaces,
  type RolloutNode,
  placesOf,
  rangePace,
  remaining,
  restartPace,
} from './places.ts'
import { rangeAnnotation } from './annotations.ts'
import { isWellNow, lostNodes, restoresDefault } from './halt-evidence.ts'
import { isOurs } from './marks.ts'
import { type Rollout, takesSteps } from './rollout.ts'

/** The state of every node, and the next step. Nodes by name. */
export interface RolloutProgress {
  /**
   * Nodes that have the value, or were restarted, and are well. A restarted pod without a node is listed by its old
   * name.
   */
  done: string[]
  inFlight: { node: string; seconds: number }[]
  /** In the order of the rollout. */
  pending: string[]
  /** Nodes that are not touched, and why. */
  apart: { node: string; why: string }[]
  /** Our remaining overrides. */
  overrides: number
  /** `commands` of this tool that continue or end the rollout, such as `rollout resume`. */
  next: { do: Step['do'] | 'nothing'; text: string; seconds?: number; commands?: string[] }
}

/** `now` is RFC 3339. */
export const progressOf = (rollout: Rollout, seen: StepInput, now: string): RolloutProgress => {
  const current: RolloutNow = { rollout, now: Date.parse(now) }
  const overrides = seen.objects.filter(isOurs).length
  const found = rollout.phase === 'restarts' ? inRestarts(current, seen) : inRange(current, seen)
  const nodes = touchesMore(rollout) ? found : { ...found, pending: [] }
  // Their pods restart like any other.
  const skip = rollout.phase === 'restarts' ? [] : rollout.skip
  const skipped = skip.map((node) => ({ node, why: 'a layer above default decides there' }))
  return { ...nodes, apart: [...skipped, ...nodes.apart], overrides, next: nextOf(rollout, seen, now) }
}

/** A rollout that has ended or is being aborted changes no further node. */
const touchesMore = ({ state }: Rollout): boolean => state === 'running' || state === 'paused' || state === 'halted'

type Nodes = Pick<RolloutProgress, 'done' | 'inFlight' | 'pending' | 'apart'>

const inRange = (given: RolloutNow, seen: StepInput): Nodes => {
  // If the reason for the rollout no longer exists, the value of `default` is the target.
  const { target = seen.defaultRange, ...rest } = given.rollout
  const rollout: Rollout = { ...rest, ...(target !== undefined && { target }) }
  const current = { ...given, rollout }
  const places = placesOf(current, seen)
  const touched = places.filter((it) => it.changedAt && it.override?.annotations[rangeAnnotation] === rollout.target)
  const { settle } = rangePace(current, seen, places)
  // One that has ended waits for no node.
  const inFlight = (takesSteps(rollout) ? touched : []).flatMap((it) => {
    const seconds = remaining(current, it, settle)
    return seconds === undefined ? [] : [{ node: it.node, seconds: Math.ceil(seconds) }]
  })
  const flying = new Set(inFlight.map(({ node }) => node))
  return {
    done: places
      .filter(({ range, node, pod }) => range === rollout.target && pod.ready && !flying.has(node))
      .map(({ node }) => node),
    inFlight,
    pending: pendingPlaces(rollout, places)
      .map(({ node }) => node)
      .filter((node) => !flying.has(node)),
    apart: places
      .filter(
        ({ range, node, pod, foreign }) => ((foreign && range !== rollout.target) || !pod.ready) && !flying.has(node),
      )
      .map((place) => ({ node: place.node, why: whyApart(rollout, place) })),
  }
}

const whyApart = ({ target, evidence, state }: Rollout, { node, range, override, foreign }: RolloutNode): string => {
  if (foreign) return changedBySomebody
  const isLost = evidence !== undefined && lostNodes(evidence).includes(node)
  if (override || isLost) return unwellSince
  return range === target ? unwellWithIt : state === 'aborted' ? unwell : unwellBefore
}

/** What it was before is not known any more: an abort removes the evidence of a halt. */
const unwell = 'its calico-node is not Ready'
const unwellBefore = 'its calico-node was not Ready before the rollout reached it'
const unwellSince = 'its calico-node is not Ready since it was changed'
const unwellWithIt = 'its calico-node has the range, but is not Ready'
const changedBySomebody = 'somebody changed or copied the override on it'

const inRestarts = (current: RolloutNow, seen: StepInput): Nodes => {
  const { rollout } = current
  const there = seen.pods.filter(({ name, deletedAt }) => rollout.restart.includes(name) && !deletedAt)
  const gone = rollout.restart.filter((name) => !seen.pods.some((pod) => pod.name === name && !pod.deletedAt))
  const { settle } = restartPace(rollout, seen)
  const inFlight = (takesSteps(rollout) ? flightsOf(rollout, seen) : []).flatMap((it) => {
    const seconds = remaining(current, it, settle)
    return seconds === undefined
      ? []
      : [{ node: it.node, seconds: isLate(current, it, settle) ? 0 : Math.ceil(seconds) }]
  })
  const flying = new Set(inFlight.map(({ node }) => node))
  const nodeOf = (pod: string) => rollout.touching.find((it) => it.pod === pod)?.node ?? pod
  return {
    done: gone.map(nodeOf).filter((node) => !flying.has(node)),
    inFlight,
    pending: ordered(
      rollout,
      there.filter(({ ready }) => ready),
    ).map(({ node }) => node),
    apart: there
      .filter(({ ready, node }) => !ready && !flying.has(node))
      .map(({ node }) => ({ node, why: unwellBefore })),
  }
}

const nextOf = (rollout: Rollout, seen: StepInput, now: string): RolloutProgress['next'] => {
  switch (rollout.state) {
    case 'running':
    case 'aborting':
      return rollout.evidence?.pending
        ? {
            do: 'halt',
            text: `the log of ${rollout.evidence.node}, which did not become Ready, is read, and then the rollout halts`,
          }
        : stepText(nextStep(rollout, seen, now))
    case 'paused':
      return {
        do: 'nothing',
        text: 'nothing is touched until it is resumed',
        commands: ['rollout resume', 'rollout abort'],
      }
    case 'halted':
      return {
        do: 'nothing',
        text: rollout.rollback ? unfinishedHalt(rollout.rollback, rollout.evidence) : afterHalt(rollout, seen),
        commands: rollout.rollback ? ['sync'] : ['rollout resume', 'rollout abort'],
      }
    case 'done':
    case 'aborted':
      return { do: 'nothing', text: 'nothing is left to do for it' }
  }
}

const afterHalt = ({ evidence }: Rollout, { pods }: StepInput): string =>
  evidence && !isWellNow(evidence, pods)
    ? `first calico-node on ${evidence.node} must be Ready again; resume or abort can wait until then`
    : 'you decide, resume or abort; nothing is changed until then'

/** What a halt has still to give back, and `how`: who does that, or when. */
export const unfinishedHalt = (
  nodes: string[],
  evidence: Rollout['evidence'],
  how = "by sync, or by the deployment's next message",
): string =>
  restoresDefault(evidence)
    ? `default gets its former value back ${how}`
    : `our override on ${nodes.join(', ')} is removed ${how}`

const stepText = (step: Step): RolloutProgress['next'] => {
  switch (step.do) {
    case 'override':
      return { do: step.do, text: `the range is written for node ${step.node}` }
    case 'promote':
      return {
        do: step.do,
        text: 'the range is written to default, which changes nothing for the nodes that already have it',
      }
    case 'remove-override':
      return { do: step.do, text: `${step.object.name}, which is no longer needed, is removed` }
    case 'take-back':
      return { do: step.do, text: `the range is removed from node ${step.node}` }
    case 'begin-restarts':
      return { do: step.do, text: 'the restarts begin' }
    case 'restart':
      return { do: step.do, text: `calico-node is restarted on ${step.pod.node}` }
    case 'wait':
      return { do: step.do, text: `waits ${step.seconds} s: ${step.why}`, seconds: step.seconds }
    case 'halt':
      return { do: step.do, text: `halts: ${step.reason}` }
    case 'finish':
      return { do: step.do, text: 'it is finished' }
  }
}
