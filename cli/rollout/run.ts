import type { KubeClient } from '../../shared/clients/kube/client.ts'
import { plainAll, safeJson } from '../../shared/domain/plain.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { parseRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { notUnderstood, takeStep } from '../../shared/workflows/rollout/step.ts'
import { commandFor } from '../target/command-for.ts'
import { connect } from '../target/connect.ts'
import { exitStatus } from '../exit-status.ts'
import { Failure } from '../failure.ts'
import { watchInterrupts } from './interruption.ts'
import { type Progress, progress } from '../progress.ts'
import type { RolloutAct, RolloutOptions } from '../options.ts'
import { rolloutText } from './text.ts'
import { finishHalt, holder, stepTools, tellWait } from './step-tools.ts'
import { bold, write } from '../streams.ts'

/**
 * Does it, then shows the rollout. 0: it did what was asked · 1: the abort halted on the way · 2: could not tell, or not
 * done.
 */
export const steer = async (act: RolloutAct, options: RolloutOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const target = await connect(options, telling)
  try {
    const { kube } = target
    if (!kube) throw await unreachable(target.observe, options)
    if (act === 'abort' && (await read(kube, options))?.state === 'halted') await finishHalt(kube, telling)
    await told(kube, act, options)
    if (act === 'abort') await takeBack(kube, telling, options)
    telling.clear()
    const rollout = await read(kube, options)
    await write(process.stdout, options.output === 'json' ? asJson(rollout) : rolloutText(rollout, bold(options)))
    return rollout?.state === asked[act] ? exitStatus.inStep : exitStatus.outOfStep
  } finally {
    target.close()
  }
}

const asked: Record<RolloutAct, Rollout['state']> = { pause: 'paused', resume: 'running', abort: 'aborted' }

const unreachable = async (
  observe: () => Promise<{ nodes: Parameters<typeof failureOf>[0] }>,
  options: RolloutOptions,
): Promise<Failure> => {
  const why = failureOf((await observe()).nodes)?.message ?? 'it does not answer'
  return new Failure(`The cluster cannot be reached: ${why}`, commandFor('check', options))
}

const read = async (kube: KubeClient, options: RolloutOptions): Promise<Rollout | undefined> => {
  const lease = await kube.lease()
  const failure = failureOf(lease)
  if (failure) throw new Failure(`The Lease kube-system/calico-ipvs-sync cannot be read: ${failure.message}`)
  const parsed = parseRollout(valueOf(lease), Date.now())
  if (parsed.is === 'invalid') throw new Failure(notUnderstood(parsed.why), commandFor('check', options))
  return parsed.is === 'rollout' ? parsed.rollout : undefined
}

const told = async (kube: KubeClient, act: RolloutAct, options: RolloutOptions): Promise<void> => {
  const answer = await control(kube, act, { by: holder(), now: () => new Date(), force: options.force === true })
  // An abort that was cut short is gone on with.
  const continues = act === 'abort' && (await read(kube, options))?.state === 'aborting'
  if (!answer.changed && !continues) throw new Failure(answer.why, commandFor('rollout status', options))
}

const takeBack = async (kube: KubeClient, telling: Progress, options: RolloutOptions): Promise<void> => {
  const interruption = watchInterrupts(telling)
  const tools = stepTools(kube, telling)
  try {
    while (!interruption.came()) {
      const outcome = await takeStep(tools)
      // Somebody let it go on again: that is not ours to carry out.
      if (outcome.next === 'over' || outcome.next === 'look') return
      if (outcome.next === 'now') continue
      tellWait(telling, outcome)
      // Short enough that the Lease is renewed in time.
      await interruption.sleep(Math.min(outcome.seconds, tools.leaseSeconds / 6))
    }
    await giveUp(kube)
    throw new Failure(
      'The abort was interrupted.',
      `${commandFor('rollout abort', options)}   # continues where it stopped`,
    )
  } finally {
    interruption.forget()
  }
}

/** Releases the Lease if we hold it, so that the next process does not have to wait until it expires. */
const giveUp = async (kube: KubeClient): Promise<void> => {
  const record = valueOf(await kube.lease())
  if (record?.holder === holder()) await kube.putLease({ resourceVersion: record.resourceVersion, holder: null })
}

const asJson = (rollout: Rollout | undefined): string => `${safeJson(plainAll({ rollout }), 2)}\n`
