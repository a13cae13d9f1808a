import type { Queues } from '../clients/queues.ts'
import type { Policy } from '../domain/policy.ts'
import { clusterKey, type RolloutStep } from '../messages.ts'
import { beginRollout, type Look } from './begin-rollout.ts'
import { rolloutStep, type Outcome, type StepTools } from './rollout-step.ts'

export interface TakeStepTools extends StepTools {
  look(): Promise<Look>
  queues: Queues
  policy: Policy
  log(event: string, facts: object): void
}

/**
 * One message of the rollout queue: one step, then a message for what comes next. "Now" is the next message of the same
 * queue; a wait is a delayed look at the whole cluster, because what may have changed meanwhile decides how it goes on.
 * The next message's deduplication id is this one's id, so that a message delivered twice does not make two chains.
 */
export const takeStep = async (tools: TakeStepTools, message: RolloutStep, messageId: string): Promise<void> => {
  const { cluster } = message
  const outcome = message.begin ? await begin(tools) : await rolloutStep(tools)
  tools.log('step', { cluster: clusterKey(cluster), ...outcome })
  switch (outcome.next) {
    case 'now':
      return tools.queues.sendRolloutStep({ schemaVersion: 1, cluster, begin: false }, messageId)
    case 'wait':
      return tools.queues.sendEvaluation({ schemaVersion: 1, cluster, reason: 'rollout' }, { delaySeconds: outcome.seconds })
    case 'over':
      // Whatever the end is, people hear of it from a fresh look at the cluster. What never began ends in silence.
      if (outcome.state === 'done' || outcome.state === 'halted') {
        await tools.queues.sendEvaluation({ schemaVersion: 1, cluster, reason: 'event', cause: `rollout ${outcome.state}` })
      }
  }
}

const begin = async (tools: TakeStepTools): Promise<Outcome> => {
  const beginning = await beginRollout(tools, await tools.look(), tools.policy)
  if (beginning.begun) return { next: 'now' }
  return { next: 'over', state: 'none', why: [beginning.why, ...beginning.blockedBy].join(' ') }
}
