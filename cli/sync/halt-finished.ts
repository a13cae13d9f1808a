import type { Policy } from '../../shared/domain/policy/policy.ts'
import { plain } from '../../shared/domain/plain.ts'
import { rolloutIn } from '../../shared/domain/rollout/parse.ts'
import { hasRescue } from '../../shared/domain/rollout/rollout.ts'
import { confirmed } from '../confirm.ts'
import type { SyncOptions } from '../options.ts'
import type { ProgressOutput } from '../progress.ts'
import { finishHalt, haltLeft } from '../rollout/step-tools.ts'
import { say } from '../streams.ts'
import { commandFor } from '../target/command-for.ts'
import { type AssessedTarget, assessTarget, type Target } from '../target/target.ts'
import { asPlanned } from './rollout.ts'

interface Run {
  target: Target
  policy: Policy
  options: SyncOptions
  telling: ProgressOutput
}

/**
 * What a halt has still to undo comes first, whatever the plan says: of a value in `default` that makes a node ill, no plan
 * says anything. Without `--yes` a person is asked. The answer is the cluster afterwards.
 */
export const haltFinished = async (
  looked: AssessedTarget,
  { target, policy, options, telling }: Run,
  ask: (question: string) => Promise<boolean> = confirmed,
): Promise<AssessedTarget> => {
  const rollout = rolloutIn(looked.state)
  if (!target.kube || options.dryRun || !hasRescue(rollout)) return looked
  const what = `${target.name}: the rollout halted, and what it wrote on ${rollout.rollback.join(', ')} is not undone yet.`
  if (!options.yes && !(await ask(`${plain(what)} Undo it now? [y/N] `))) return looked
  const again = commandFor('sync', target, asPlanned({ options, policy }))
  const waited = await finishHalt(target.kube, { telling, again })
  telling.doing(`reading ${target.name} once more`)
  const after = await assessTarget(target, policy, true)
  telling.clear()
  const left = waited === undefined ? undefined : haltLeft(rolloutIn(after.state), waited)
  if (left !== undefined) say(`${target.name}: ${left}\nNext: ${again}   # continues where it stopped`)
  return after
}
