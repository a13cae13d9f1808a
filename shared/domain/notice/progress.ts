import { unlinked } from '../plain.ts'
import type { ClusterState } from '../cluster.ts'
import { valueOf } from '../read.ts'
import type { Report } from '../report.ts'
import { isOurs } from '../rollout/marks.ts'
import { progressOf as rolloutProgress } from '../rollout/progress.ts'
import { overriddenNode } from '../rollout/range-writes.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { seenOf } from '../rollout/seen.ts'
import { soundRollout } from '../rollout/parse.ts'
import { tookFrom } from './duration.ts'
import { type Notice, placeOf } from './notice.ts'

/** The progress of a rollout. `milestone`: each one is notified once. */
export interface Progress {
  milestone: 'canary' | 'half'
  done: number
  of: number
}

/** A rollout with fewer nodes has no second milestone. */
const halfFrom = 6

/** `undefined`: no rollout is in progress, or it has reached no milestone yet. */
export const progressOf = (state: ClusterState, report: Report): Progress | undefined => {
  const rollout = soundRollout(valueOf(state.rollout), Date.parse(state.observedAt))
  if (rollout?.state !== 'running') return undefined
  const [done, of] = rollout.phase === 'range' ? changed(state, report, rollout) : restarted(state, rollout.restart)
  if (done === 0 || done >= of) return undefined
  return { milestone: of >= halfFrom && done * 2 >= of ? 'half' : 'canary', done, of }
}

/** Nodes that have an override and have stayed well with it, of these and the nodes that are still to be changed. */
const changed = (state: ClusterState, { nodes }: Report, rollout: Rollout): [number, number] => {
  const [felix, pods] = [valueOf(state.felix), valueOf(state.pods) ?? []]
  if (!felix) return [0, 0]
  const ours = new Set(felix.objects.filter(isOurs).map(overriddenNode))
  const seen = seenOf(
    felix,
    pods.filter(({ role }) => role === 'calico-node'),
    rollout.where,
  )
  const done = rolloutProgress(rollout, seen, state.observedAt).done.filter((node) => ours.has(node)).length
  const isLeft = ({ name, verdict }: Report['nodes'][number]) => verdict === 'out-of-step' || ours.has(name)
  return [done, nodes.filter(isLeft).length]
}

const restarted = ({ pods }: ClusterState, restart: readonly string[]): [number, number] => {
  const there = new Set((valueOf(pods) ?? []).map(({ name }) => name))
  return [restart.filter((name) => !there.has(name)).length, restart.length]
}

const words: Record<Progress['milestone'], string> = {
  canary: 'the first node is changed and well',
  half: 'half of the nodes are changed and well',
}

export const progressNotice = (report: Report, { milestone, done, of }: Progress, since?: string): Notice => {
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
