import { unlinked } from '../plain.ts'
import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import type { Report } from '../report.ts'
import { isOurs } from '../rollout/marks.ts'
import { paceAfter, placesOf, remaining } from '../rollout/places.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { stepInput } from '../rollout/step-input.ts'
import { rolloutIn } from '../rollout/parse.ts'
import { tookFrom } from './duration.ts'
import { type Notice, placeOf } from './notice.ts'

/** The progress of a rollout. `milestone`: each one is notified once. */
export interface Milestone {
  milestone: 'canary' | 'half'
  done: number
  of: number
}

/** A rollout with fewer nodes has no second milestone. */
const halfFrom = 6

/** `undefined`: no rollout is in progress, or it has reached no milestone yet. */
export const progressToTell = (state: ClusterState, report: Report): Milestone | undefined => {
  const rollout = rolloutIn(state)
  if (rollout?.state !== 'running') return undefined
  const [done, of] = rollout.phase === 'range' ? changed(state, report, rollout) : restarted(state, rollout.restart)
  if (done === 0 || done >= of) return undefined
  return { milestone: of >= halfFrom && done * 2 >= of ? 'half' : 'canary', done, of }
}

/** Nodes that have an override and have stayed well with it, of these and the nodes that are still to be changed. */
const changed = (state: ClusterState, { nodes }: Report, rollout: Rollout): [number, number] => {
  const [felix, pods = []] = [valueOf(state.felix), valueOf(state.pods)]
  if (!felix) return [0, 0]
  const seen = stepInput(
    felix,
    pods.filter(({ role }) => role === 'calico-node'),
    rollout.where,
  )
  const current = { rollout, now: Date.parse(state.observedAt) }
  const ours = placesOf(current, seen).filter(({ override }) => override && isOurs(override))
  const { settle } = paceAfter(rollout, ours.length, nodes.length)
  const done = ours.filter((it) => it.pod.ready && remaining(current, it, settle) === undefined)
  const touched = new Set(ours.map(({ node }) => node))
  return [done.length, nodes.filter(({ name, verdict }) => verdict === 'out-of-step' || touched.has(name)).length]
}

const restarted = ({ pods }: ClusterState, restart: readonly string[]): [number, number] => {
  const there = new Set((valueOf(pods) ?? []).map(({ name }) => name))
  return [restart.filter((name) => !there.has(name)).length, restart.length]
}

const words: Record<Milestone['milestone'], string> = {
  canary: 'the first node is changed and well',
  half: 'half of the nodes are changed and well',
}

export const progressNotice = (report: Report, { milestone, done, of }: Milestone, since?: string): Notice => {
  const { cluster, observedAt } = report
  const place = placeOf(cluster)
  const head = `${words[milestone]}, ${done} of ${of}`
  return {
    subject: unlinked(`[info] ${place}: ${head}`),
    text: unlinked(
      [
        `${place}: ${head}. calico-ipvs-sync continues; nobody has to act.`,
        since && `Under way for ${tookFrom(since, observedAt)}.`,
        `As of ${observedAt}.`,
      ]
        .filter(Boolean)
        .join('\n\n'),
    ),
    severity: 'info',
    kind: 'progress',
  }
}
