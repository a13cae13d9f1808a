import type { ClusterState } from '../../domain/cluster.ts'
import { nextStep } from '../../domain/rollout/next-step.ts'
import type { Rollout } from '../../domain/rollout/rollout.ts'
import { stepInput } from '../../domain/rollout/step-input.ts'
import { needed } from '../needed.ts'
import { writeDefault, writeOverride } from './range-writes.ts'
import type { StepTools } from './tools.ts'

/**
 * A dry run of the first write before the rollout begins: the server applies admission, validation and permissions,
 * and stores nothing. Throws what the real write would throw.
 */
export const tryFirstWrite = async (
  tools: Pick<StepTools, 'kube' | 'now' | 'holder'>,
  rollout: Rollout,
  state: Pick<ClusterState, 'felix' | 'pods'>,
): Promise<void> => {
  const felix = needed(state.felix)
  const pods = needed(state.pods).filter(({ role, daemonSet }) => role === 'calico-node' && daemonSet !== undefined)
  const step = nextStep(rollout, stepInput(felix, pods, rollout.where), tools.now().toISOString())
  const { objects } = felix
  if (step.do === 'override') await writeOverride(tools, rollout, { node: step.node, objects }, { dryRun: true })
  if (step.do === 'promote') await writeDefault(tools, rollout, objects, { dryRun: true })
}
