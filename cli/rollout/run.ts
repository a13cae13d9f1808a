import { plainAll, safeJson } from '../../shared/domain/plain.ts'
import { failureOf, valueOf } from '../../shared/domain/read.ts'
import { parseRollout } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { control } from '../../shared/workflows/rollout/control.ts'
import { KubeError } from '../../shared/errors.ts'
import { release } from '../../shared/workflows/rollout/lease.ts'
import { notUnderstood, takeStep } from '../../shared/workflows/rollout/step.ts'
import { type Outcome, outdatedAfter, pauseFor } from '../../shared/workflows/rollout/tools.ts'
import { commandFor } from '../target/command-for.ts'
import { connect } from '../target/connect.ts'
import { exitStatus } from '../exit-status.ts'
import { Failure } from '../failure.ts'
import { watchInterrupts } from './interruption.ts'
import { counting, patiently } from './patiently.ts'
import { type ProgressOutput, progress } from '../progress.ts'
import type { RolloutAct, RolloutOptions } from '../options.ts'
import { rolloutText } from './text.ts'
import { finishHalt, haltLeft, holder, stepTools, tellWait } from './step-tools.ts'
import { bold, printed, say, widthOf } from '../streams.ts'
import { asBegun } from './show.ts'
import type { Target } from '../target/target.ts'

/** Pauses, resumes or aborts, then shows the rollout. Exit 0: done · 1: the abort halted · 2: unknown, or not done. */
export const steer = async (act: RolloutAct, options: RolloutOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const target = await connect(options, telling)
  try {
    if (!reaches(target)) throw await unreachable(target, options)
    const isHalted = act === 'abort' && (await read(target, options))?.state === 'halted'
    const again = commandFor('rollout abort', target, options)
    const waited = isHalted ? await finishHalt(target.kube, { telling, again }) : undefined
    try {
      await requestChange(target, act, options)
    } catch (error) {
      // Otherwise the abort itself undoes what is left.
      const left = waited === undefined ? undefined : haltLeft(await read(target, options), waited)
      if (left !== undefined) say(`${target.name}: ${left}`)
      throw error
    }
    if (act === 'abort') await takeBack(target, telling, options)
    telling.clear()
    const rollout = await read(target, options)
    const style = { bold: bold(options), name: target.name, width: widthOf(process.stdout, options.outputFile) }
    const text = rolloutText(
      rollout,
      style,
      act === 'resume' ? commandFor('sync', target, asBegun(rollout, options)) : undefined,
    )
    await printed(options.output === 'json' ? asJson(rollout) : text, options)
    return rollout?.state === asked[act] ? exitStatus.inStep : exitStatus.outOfStep
  } finally {
    target.close()
  }
}

type Reached = Target & Required<Pick<Target, 'kube'>>

const reaches = (target: Target): target is Reached => target.kube !== undefined

const asked: Record<RolloutAct, Rollout['state']> = { pause: 'paused', resume: 'running', abort: 'aborted' }
const underWay: Record<RolloutAct, Rollout['state']> = { ...asked, abort: 'aborting' }

const unreachable = async (target: Target, options: RolloutOptions): Promise<Failure> => {
  const why = failureOf((await target.observe()).nodes)?.message ?? 'it does not answer'
  return new Failure(`The cluster cannot be reached: ${why}`, commandFor('check', target, options))
}

const read = async (target: Reached, options: RolloutOptions): Promise<Rollout | undefined> => {
  const lease = await target.kube.lease()
  const failure = failureOf(lease)
  if (failure) throw new Failure(`The Lease kube-system/calico-ipvs-sync cannot be read: ${failure.message}`)
  const parsed = parseRollout(valueOf(lease), Date.now())
  if (parsed.is === 'invalid') throw new Failure(notUnderstood(parsed.why), commandFor('check', target, options))
  return parsed.is === 'rollout' ? parsed.rollout : undefined
}

const requestChange = async (target: Reached, act: RolloutAct, options: RolloutOptions): Promise<void> => {
  const answer = await control(target.kube, act, { by: holder(), now: () => new Date(), force: options.force === true })
  if (answer.changed) {
    if (answer.about !== undefined) say(`${target.name}: ${answer.about}.`)
    return
  }
  const state = (await read(target, options))?.state
  // It is so already. An abort that was interrupted is continued.
  if (state === underWay[act]) return
  throw new Failure(answer.why, commandFor('rollout status', target, options))
}

const takeBack = async (target: Reached, telling: ProgressOutput, options: RolloutOptions): Promise<void> => {
  const interruption = watchInterrupts(telling)
  const { tools, count, done } = counting(stepTools(target.kube, telling))
  const stopped = (why: string) =>
    new Failure(why, `${commandFor('rollout abort', target, options)}   # continues where it stopped`)
  const act = async () => {
    let outdated: number | undefined
    while (!interruption.came()) {
      const outcome: Outcome = await takeStep(tools, outdated)
      outdated = outdatedAfter(outcome, tools.leaseSeconds)
      // Somebody resumed the rollout: this process does not apply it.
      if (outcome.next === 'over' || outcome.next === 'look') return
      if (outcome.next === 'now') continue
      count(outcome)
      tellWait(telling, outcome)
      await interruption.sleep(pauseFor(outcome, tools.leaseSeconds))
    }
    await release(tools)
    throw stopped('The abort was interrupted.')
  }
  try {
    await patiently(act, { telling, interruption, done })
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    await release(tools).catch(() => undefined)
    throw stopped(`The abort stopped: ${error.message}`)
  } finally {
    interruption.forget()
  }
}

const asJson = (rollout: Rollout | undefined): string => `${safeJson(plainAll({ rollout }), 2)}\n`
