import { type Command, Option } from 'commander'
import { type Ending, type FailOptions, statusSince } from '../exit-status.ts'
import type { LookOptions, OutputOptions, PlaceOptions, PolicyOptions } from '../options.ts'
import {
  policyOf,
  withExamples,
  withFailOn,
  withLook,
  withOutput,
  withPlace,
  withPolicy,
  withVerbose,
} from '../options.ts'
import { withoutExcepted } from '../configuration/excepted.ts'
import { print } from './print.ts'
import { progress } from '../progress.ts'
import { assessTarget } from '../target/target.ts'

export type CheckOptions = OutputOptions & PlaceOptions & LookOptions & PolicyOptions & FailOptions & { state?: string }

// A state file is one observation of one cluster, so options that choose or probe a cluster make no sense.
const live = 'kubeconfig context cluster role probe deep serviceNodePortRange'.split(' ')

/** The options of every command for one cluster. */
export const withOneCluster = (command: Command): Command =>
  withLook(withPlace(command)).addOption(
    new Option('--state <file>', 'assess a captured state instead of a live cluster').conflicts(live),
  )

export const addCheck = (program: Command, end: Ending): void => {
  const command = program
    .command('check')
    .description('Check whether Calico is in step with kube-proxy in one cluster.')
    .option('--plan', 'with what sync would do')
  withExamples(
    command,
    'calico-ipvs-sync check',
    'calico-ipvs-sync check --context prod --probe',
    'calico-ipvs-sync check --cluster prod-1 --region eu-west-1 -o json',
    'calico-ipvs-sync check --state captured.json --verbose',
  )
  withFailOn(withVerbose(withOutput(withOneCluster(command)))).action(
    async (options: CheckOptions & { plan?: boolean }) => end(await judge(options, options.plan ?? false)),
  )
}

export const addPlan = (program: Command, end: Ending): void => {
  const command = program
    .command('plan')
    .description('Show what sync would do, what that disturbs and what blocks it; -o json is a plan file.')
  withExamples(
    command,
    'calico-ipvs-sync plan --context prod --probe',
    'calico-ipvs-sync plan --cluster prod-1 --region eu-west-1 -o json --output-file plan.json',
  )
  withFailOn(withVerbose(withOutput(withPolicy(withOneCluster(command))))).action(async (options: CheckOptions) =>
    end(await judge(options, true)),
  )
}

const judge = async (options: CheckOptions, withPlan: boolean): Promise<number> => {
  const telling = progress(options.quiet ?? false)
  const baseline =
    options.baseline === undefined ? undefined : await (await import('./baseline.ts')).baselineFrom(options.baseline)
  const [{ connect }, { onTarget }] = await Promise.all([
    import('../target/connect.ts'),
    import('../target/command-for.ts'),
  ])
  const target = await connect(options, telling)
  try {
    // A file is read at once: nobody waits.
    if (options.state === undefined) telling.doing(`reading ${target.name}`)
    const { report, plan } = await assessTarget(target, policyOf(options), withPlan)
    telling.clear()
    const document = withPlan ? { ...report, plan: plan() } : report
    const { shown, counted } = withoutExcepted(document, options.exceptions)
    await print(shown, options, onTarget(target, options))
    return statusSince(counted, options, baseline, telling)
  } finally {
    target.close()
  }
}
