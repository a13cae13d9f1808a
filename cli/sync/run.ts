import { whatMoved } from '../../shared/domain/plan/preconditions.ts'
import type { Policy } from '../../shared/domain/policy/policy.ts'
import type { Plan, Report } from '../../shared/domain/report.ts'
import { rolloutIn } from '../../shared/domain/rollout/parse.ts'
import type { Rollout } from '../../shared/domain/rollout/rollout.ts'
import { forecastText } from '../../shared/report/text/plan.ts'
import { counted } from '../../shared/report/wording.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { isAssumed } from '../../shared/domain/facts/assumption.ts'
import { commandFor, onTarget } from '../target/command-for.ts'
import { confirmed } from '../confirm.ts'
import { connect } from '../target/connect.ts'
import { exitStatus, statusOf } from '../exit-status.ts'
import { Failure } from '../failure.ts'
import { type LookOptions, policyOf, type SyncOptions } from '../options.ts'
import { haltFinished } from './halt-finished.ts'
import { planFrom } from './plan-file.ts'
import { asText, print } from '../check/print.ts'
import { progress } from '../progress.ts'
import { assessTarget, type Target } from '../target/target.ts'
import { say, tell } from '../streams.ts'
import { rollOut, type SyncRun } from './rollout.ts'
import { tellWhereItStands } from './interrupted.ts'

/** Observes, shows the plan, asks, carries it out, and observes again: the result is the report of the cluster afterwards. */
export const runSync = async (options: SyncOptions): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const agreed = options.plan === undefined ? undefined : await planFrom(options.plan)
  const target = await connect(options, telling)
  try {
    telling.doing(`reading ${target.name}`)
    const policy: Policy = { ...policyOf(options), ...(agreed && policyIn(agreed.plan)) }
    const seen = await assessTarget(target, policy, true)
    telling.clear()
    if (agreed) refuseIfMoved(agreed, { ...seen.report, plan: seen.plan() }, { ...options, target })
    const looked = await haltFinished(seen, { target, policy, options, telling })
    const plan = looked.plan()
    if (isIdle(plan, rolloutIn(looked.state)) || options.dryRun || !target.kube)
      return await showOnly({ ...looked.report, plan }, target, options)
    return await rollOutAndReport({ target, kube: target.kube, looked, plan, policy, options, telling })
  } finally {
    target.close()
  }
}

/** Where nothing is left to write, a rollout that was interrupted may still have nodes to watch, and to restore. */
const isIdle = ({ changes, blockedBy }: Plan, rollout: Rollout | undefined): boolean =>
  blockedBy.length > 0 || (changes.length === 0 && rollout?.state !== 'running')

/** The pace of the plan file; files of earlier versions have only the strategy. */
const policyIn = ({ strategy, preconditions }: Plan): Partial<Policy> => ({
  strategy,
  ...(preconditions?.pace as Partial<Policy> | undefined),
})

type Planned = Report & { plan: Plan }

const refuseIfMoved = (then: Planned, now: Planned, options: SyncOptions & { target: Target }): void => {
  const { plan: file = '', target } = options
  const moved = whatMoved(then, now)
  if (moved.length === 0) return
  const shown = [...moved.slice(0, 8), ...(moved.length > 8 ? [`${moved.length - 8} more`] : [])]
  const text = `The plan in ${file} is no longer what has to be done here; nothing was written. What moved: ${shown.join('; ')}.`
  const range = isAssumed(now.serviceRange) ? asThen(then) : options
  const again = isAssumed(now.serviceRange) && !isAssumed(then.serviceRange) ? `sync --plan ${quoted(file)}` : 'plan'
  throw new Failure(text, commandFor(again, target, range))
}

/** How the range of the plan was known. Where EKS gave it then and does not now, the API server may be probed. */
const asThen = ({ serviceRange: range }: Planned): LookOptions =>
  range?.source === 'flag' ? { serviceNodePortRange: range } : { probe: true }

/** Nothing was written, so the report still holds. A blocked plan leaves the cluster out of step. */
const showOnly = async (report: Planned, target: Target, options: SyncOptions): Promise<number> => {
  await print(report, options, onTarget(target, options))
  const { blockedBy } = report.plan
  // Nothing was attempted because the range is only assumed: that is no failure.
  if (blockedBy.includes('RANGE_ASSUMED')) return exitStatus.outOfStep
  return Math.max(statusOf(report), blockedBy.length > 0 ? exitStatus.outOfStep : exitStatus.inStep)
}

/** What is agreed to, in a line. */
const summaryOf = ({ changes, strategy, forecast }: Plan): string =>
  changes.length > 0
    ? `${counted(changes.length, 'change')}, ${strategy}. ${forecastText(forecast)}`
    : 'a rollout is not finished. Nothing is left to write, but its nodes must stay well, and are restored if they do not.'

const rollOutAndReport = async (it: SyncRun): Promise<number> => {
  const { target, looked, plan, policy, options, telling } = it
  if (options.yes) telling.done(`${target.name}: ${summaryOf(plan)}`)
  else {
    // The file is for the result; the question is read on the terminal.
    const { outputFile: _, ...onTerminal } = options
    await tell(await asText({ ...looked.report, plan }, process.stderr, onTerminal, onTarget(target, options)))
    const unfinished = plan.changes.length > 0 ? '' : `${target.name}: ${summaryOf(plan)} `
    if (!(await confirmed(`${unfinished}Carry it out? [y/N] `))) {
      await tell('Nothing was written.\n')
      return statusOf(looked.report)
    }
  }
  const end = await rollOut(it)
  telling.clear()
  if (end.why !== '') say(`${target.name}: ${end.why}`)
  if (end.interrupted) return tellWhereItStands(it)
  if (end.status === exitStatus.failed) return end.status
  telling.doing(`reading ${target.name} once more`)
  const after = await assessTarget(target, policy, true)
  const left = after.plan()
  telling.clear()
  const document = left.changes.length + left.blockedBy.length > 0 ? { ...after.report, plan: left } : after.report
  await print(document, options, onTarget(target, options))
  return Math.max(end.status, statusOf(after.report))
}
