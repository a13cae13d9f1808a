import type { KubeClient } from '../clients/kube-client.ts'
import type { EksCluster } from '../clients/eks.ts'
import type { Queues } from '../clients/queues.ts'
import { assess } from '../domain/assess.ts'
import type { ClusterState } from '../domain/cluster.ts'
import type { Policy } from '../domain/policy.ts'
import type { Read } from '../domain/read.ts'
import { clusterKey, type ClusterRef, type RolloutStep } from '../messages.ts'
import { beginRollout } from './begin-rollout.ts'
import { needed } from './needed.ts'
import { rolloutStep, type Outcome, type StepTools } from './rollout-step.ts'

export interface TakeStepTools extends Omit<StepTools, 'kube'> {
  access: {
    describe: (cluster: ClusterRef) => Promise<Read<EksCluster | undefined>>
    observe: (cluster: ClusterRef, eks: Read<EksCluster>) => Promise<ClusterState>
    kube: (cluster: ClusterRef, eks: EksCluster) => KubeClient | undefined
  }
  queues: Queues
  policy: Policy
  log: (event: string, facts: object) => void
}

/**
 * One message of the rollout queue: one step, then a message for what comes next. "Now" is the next message of the same
 * queue; a wait is a delayed look at the whole cluster, because what may have changed meanwhile decides how it goes on.
 * The next message's deduplication id is this one's id, so that a message delivered twice does not make two chains.
 */
export const takeStep = async (tools: TakeStepTools, message: RolloutStep, messageId: string): Promise<void> => {
  const { cluster } = message
  const outcome = await stepOn(tools, message)
  tools.log('step', { cluster: clusterKey(cluster), ...outcome })
  switch (outcome.next) {
    case 'now':
      return tools.queues.sendRolloutStep({ schemaVersion: 1, cluster, begin: false }, messageId)
    case 'wait':
      return tools.queues.sendEvaluation(
        { schemaVersion: 1, cluster, reason: 'rollout' },
        { delaySeconds: outcome.seconds },
      )
    case 'over':
      // Whatever the end is, people hear of it from a fresh look at the cluster. What never began ends in silence.
      if (outcome.state === 'done' || outcome.state === 'halted') {
        await tools.queues.sendEvaluation({
          schemaVersion: 1,
          cluster,
          reason: 'event',
          cause: `rollout ${outcome.state}`,
        })
      }
  }
}

const stepOn = async (tools: TakeStepTools, { cluster, begin }: RolloutStep): Promise<Outcome> => {
  const eks = needed(await tools.access.describe(cluster))
  const kube = eks && tools.access.kube(cluster, eks)
  if (!eks || !kube) return { next: 'over', state: 'none', why: 'the cluster is gone' }
  if (eks.state.status !== 'ACTIVE')
    return { next: 'wait', seconds: 60, why: `EKS says the cluster is ${eks.state.status}` }
  const step = { ...tools, kube }
  if (!begin) return rolloutStep(step)
  const state = await tools.access.observe(cluster, { value: eks })
  const beginning = await beginRollout(step, { state, assessment: assess(state, tools.policy) }, tools.policy)
  if (beginning.begun) return { next: 'now' }
  return { next: 'over', state: 'none', why: [beginning.why, ...beginning.blockedBy].join(' ') }
}
