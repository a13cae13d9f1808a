import type { KubeClient } from '../../clients/kube/client.ts'
import { nextStep } from '../../domain/rollout/next-step.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { withNodes } from '../../domain/rollout/step-input.ts'
import { needed } from '../needed.ts'
import { agreeing } from '../observe/nodes.ts'
import { calicoPods, observeRollout } from './observe.ts'

/**
 * Why a halted rollout must not be resumed: it would break one more node each time. `resumed` is the resumed rollout.
 * Undefined: there is no reason against it.
 */
export const againstResuming = async (
  kube: KubeClient,
  halted: Rollout,
  { resumed, now }: { resumed: Rollout; now: Date },
): Promise<string | undefined> => {
  const { evidence, reverted } = halted
  const at = now.toISOString()
  if (reverted?.at.slice(0, 10) === at.slice(0, 10))
    return `${reverted.object} was reverted by ${reverted.by ?? 'somebody'} today (${reverted.at}), and is not written again on the same day`
  const calico = await calicoPods(kube)
  if (!calico) return 'there is not exactly one calico-node DaemonSet'
  const nodes = needed(agreeing(await kube.nodes(), calico.pods))
  const seen = withNodes(await observeRollout(kube, resumed, { pods: calico.pods, now }), nodes)
  const there = new Set(nodes.map(({ name }) => name))
  const well = new Set(seen.pods.filter(({ ready, deletedAt }) => ready && !deletedAt).map(({ node }) => node))
  const touched = evidence ? [evidence.node, ...(evidence.beside ?? [])] : []
  const ill = touched.find((node) => there.has(node) && !well.has(node))
  if (ill !== undefined) return `${ill}, on which it halted, is still not well: its calico-node is not Ready`
  // An earlier write of the same value does not count here: a person requested it again.
  const step = nextStep({ ...resumed, startedAt: at }, seen, at)
  return step.do === 'halt' ? `it would halt again at once: ${step.reason}` : undefined
}
