import { parseRollout } from '../../../shared/domain/rollout/parse.ts'
import { progressOf, type RolloutProgress } from '../../../shared/domain/rollout/progress.ts'
import type { Rollout } from '../../../shared/domain/rollout/rollout.ts'
import { stepInput, withNodes } from '../../../shared/domain/rollout/step-input.ts'
import type { Cluster } from './cluster.ts'
import { rangeOn } from './ranges.ts'
import { nodeState } from './machines.ts'
import type { Stage } from './stage.ts'

/** Of so many writes, one is followed by a look at what `rollout status` says. */
const seldom = 5

/** What `rollout status` would say right after a write: it accounts for every node, by what is true then. */
export const statusOf = (stage: Stage): ((cluster: Cluster) => void) => {
  let count = 0
  return (cluster) => {
    count += 1
    if (count % seldom !== 0) return
    const parsed = parseRollout(cluster.lease, stage.schedule.now())
    if (parsed.is !== 'rollout') return
    const { rollout } = parsed
    const progress = progressIn(cluster, rollout, stage.iso())
    const fault = faultIn(cluster, rollout, progress)
    stage.check('status accounts for every node', fault && `${cluster.ref.name}, ${rollout.state}: ${fault}`)
  }
}

const podsIn = ({ machines }: Cluster) => [...machines.values()].flatMap(({ calico }) => calico ?? [])

const progressIn = (cluster: Cluster, rollout: Rollout, now: string): RolloutProgress => {
  const objects = [...cluster.felix.values()]
  const seen = stepInput({ api: rollout.where.api, objects }, podsIn(cluster), rollout.where)
  return progressOf(rollout, withNodes(seen, [...cluster.machines.values()].map(nodeState)), now)
}

const faultIn = (cluster: Cluster, rollout: Rollout, progress: RolloutProgress): string | undefined => {
  const { done, inFlight, pending, apart, next } = progress
  const named = [...done, ...inFlight.map(({ node }) => node), ...pending, ...apart.map(({ node }) => node)]
  const twice = named.find((name, index) => named.indexOf(name) !== index)
  if (twice !== undefined) return `${twice} is named twice: ${JSON.stringify({ done, inFlight, pending, apart })}`
  if (next.text === '') return 'it does not say what comes next'
  const { state, phase, target, skip } = rollout
  const isOver = state === 'done' || state === 'aborted'
  if ((next.do === 'nothing') !== (isOver || state === 'paused' || state === 'halted')) return `next is ${next.do}`
  if (phase === 'restarts' || isOver || state === 'aborting') return undefined
  const missing = podsIn(cluster).find(({ node }) => !skip.includes(node) && !named.includes(node))
  if (missing) return `${missing.node} is not named`
  const wrong = target === undefined ? undefined : done.find((node) => rangeOn(cluster, node) !== target)
  return wrong && `${wrong} is done, and has ${rangeOn(cluster, wrong)} instead of ${target}`
}
