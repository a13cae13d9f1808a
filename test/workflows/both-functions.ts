import type { ClusterState } from '../../shared/domain/cluster.ts'
import type { Action } from '../../shared/domain/policy/policy.ts'
import { read } from '../../shared/domain/read.ts'
import type { Evaluation, RolloutStep } from '../../shared/messages.ts'
import * as beginning from '../../shared/workflows/fleet/beginning.ts'
import { evaluate } from '../../shared/workflows/fleet/evaluate.ts'
import { handleStep, type HandleStepTools } from '../../shared/workflows/fleet/rollout-message.ts'
import { deploymentHolder } from '../../shared/workflows/fleet/tools.ts'
import { eksState, hub, out, ref, stateOf } from './hub.ts'
import type { World } from './world.ts'

const minute = 60_000
/** As the functions hold the Lease. */
export const own = { holder: deploymentHolder, leaseSeconds: 900 }

interface Waiting {
  at: number
  id: string
  step?: RolloutStep
  evaluation?: Evaluation
}

interface About {
  /** What the evaluations see. */
  sees?: () => string
  /** What they see besides. */
  beside?: () => Partial<ClusterState>
  /** Of the cluster in EKS, for both functions. */
  status?: () => string
  /** The time of each step. */
  stepSeconds?: number
  brake?: () => Action
  /** Each step becomes a dead letter. */
  fails?: () => boolean
}

/** Both functions with their queues, by a clock that jumps from message to message. */
export const deploymentOf = (world: World, about: About = {}) => {
  const { sees = () => out, beside = () => ({}), status = () => 'ACTIVE' } = about
  const { stepSeconds = 1, brake = () => 'sync', fails = () => false } = about
  const waiting: Waiting[] = []
  const steps: RolloutStep[] = []
  const sent = new Map<string, number>()
  let count = 0
  const send = (message: Pick<Waiting, 'step' | 'evaluation'>, seconds = 0) =>
    void waiting.push({ at: world.clock + (seconds + 1) * 1_000, id: `m${(count += 1)}`, ...message })
  const braking = { brake: { read: async () => ({ most: brake() }), command: () => 'release it' } }
  const it = hub({}, { now: () => new Date(world.clock), ...braking })
  const queues: HandleStepTools['queues'] = {
    ...it.tools.queues,
    sendEvaluation: async (evaluation, { delaySeconds = 0 } = {}) => send({ evaluation }, Math.min(delaySeconds, 900)),
    sendRolloutStep: async (step, dedupId) => {
      // As FIFO queues do.
      if (world.clock - (sent.get(dedupId) ?? 0) < 5 * minute) return
      sent.set(dedupId, world.clock)
      steps.push(step)
      send({ step }, stepSeconds - 1)
    },
  }
  const work = async ({ step, evaluation, id: messageId }: Waiting) => {
    it.state = stateOf(sees(), { observedAt: world.iso(), rollout: read(world.lease), ...beside() })
    if (evaluation) return evaluate({ ...it.tools, queues }, evaluation, { messageId })
    const { fleet, policy, log } = it.tools
    const access = {
      describe: async () => read({ state: { ...eksState, status: status() } } as never),
      observe: () => Promise.reject(new Error('nothing begins here')),
      kube: () => world.tools.kube,
    }
    const records = { keepActed: async () => undefined }
    const about = { fleet, policy, log, access, records, queues, beginning: async () => beginning }
    const tools = { ...world.tools, ...own, ...braking, ...about }
    return step && !fails() && handleStep(tools, step, { messageId })
  }
  const chains = () => waiting.filter(({ step, evaluation }) => step || evaluation?.reason === 'rollout').length
  /** One at the end of each two minutes; the next one may be asked for just before. */
  const follows = () => waiting.filter(({ evaluation }) => evaluation?.reason === 'follow').length
  const run = async (minutes: number, each: () => void) => {
    const end = world.clock + minutes * minute
    for (;;) {
      const [next] = waiting.toSorted((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      waiting.splice(waiting.indexOf(next), 1)
      world.clock = Math.max(world.clock, next.at)
      await work(next)
      each()
    }
    world.clock = end
  }
  const hear = (seconds: number) => send({ evaluation: { schemaVersion: 1, cluster: ref, reason: 'event' } }, seconds)
  const { decided } = world.tools
  const begin = () => send({ step: { schemaVersion: 1, cluster: ref, begin: false, ...(decided && { decided }) } })
  const halts = () => it.notices.filter(({ attributes }) => attributes.kind === 'halted').map(({ text }) => text)
  const haltsTold = () => halts().length
  return { hub: it, steps, run, hear, begin, chains, follows, halts, haltsTold }
}
