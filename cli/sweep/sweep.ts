import { type Command, Option } from 'commander'
import type { Sweep } from '../../shared/domain/report.ts'
import { type Ending, type FailOptions, statusSince } from '../exit-status.ts'
import { UsageError } from '../failure.ts'
import type { LookOptions, OutputOptions } from '../options.ts'
import {
  policyOf,
  type PolicyOptions,
  several,
  withConfiguration,
  withExamples,
  withFailOn,
  withLook,
  withOutput,
} from '../options.ts'
import { print } from '../check/print.ts'
import { withoutExcepted } from '../configuration/excepted.ts'
import { progress } from '../progress.ts'
import type { SweepPlaces } from './targets.ts'

type SweepOptions = OutputOptions &
  LookOptions &
  SweepPlaces &
  FailOptions &
  Pick<PolicyOptions, 'exceptions'> & { atOnce?: number }

export const addSweep = (program: Command, end: Ending): void => {
  const command = program
    .command('sweep')
    .description('Check a fleet: a row for each cluster, also for unreachable ones.')
    .option('--context <name>', 'a context of the kubeconfig; may be given several times', several)
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .addOption(regionOption())
    .option('--role <arn or name>', 'IAM role to assume; an ARN, several times for several accounts', several)
    .option('--account <id>', 'account in which the role of that name is assumed; may be given several times', several)
  withExamples(
    command,
    'calico-ipvs-sync sweep --region eu-west-1 --region us-east-1',
    'calico-ipvs-sync sweep --region eu-west-1 --account 111122223333 --role calico-ipvs-sync-viewer',
    'calico-ipvs-sync sweep --context prod --context staging -o html --output-file fleet.html',
    'calico-ipvs-sync sweep --region eu-west-1 --baseline last.json -o json --output-file now.json',
  )
  withFailOn(withOutput(withLook(withConfiguration(command)))).action(async (options: SweepOptions) =>
    end(await sweep(options)),
  )
}

const regionOption = (): Option =>
  new Option('--region <region>', 'all EKS clusters of this region; may be given several times')
    .argParser(several)
    .conflicts(['context', 'kubeconfig'])

const sweep = async (options: SweepOptions): Promise<number> => {
  const { context = [], region = [], account = [], role = [] } = options
  if (context.length === 0 && region.length === 0)
    throw new UsageError('sweep needs --context NAME or --region REGION; both can be repeated.')
  if (account.length > 0 && (role.length !== 1 || role[0]?.startsWith('arn:')))
    throw new UsageError('--account goes with one --role by name, which is then assumed in each account.')
  if (account.length === 0 && role.some((it) => !it.startsWith('arn:')))
    throw new UsageError('--role needs an ARN, or a name together with --account.')
  const baseline =
    options.baseline === undefined
      ? undefined
      : await (await import('../check/baseline.ts')).baselineFrom(options.baseline)
  const telling = progress(options.quiet ?? false)
  const { sweepReports } = await import('./targets.ts')
  const clusters = await sweepReports(
    options,
    policyOf({ ...(options.exceptions && { exceptions: options.exceptions }) }),
    telling,
  )
  telling.clear()
  const all = clusters.map((report) => withoutExcepted(report, options.exceptions))
  const document: Sweep = {
    schemaVersion: 1,
    sweptAt: new Date().toISOString(),
    clusters: all.map(({ shown }) => shown),
  }
  await print(document, options)
  return statusSince({ ...document, clusters: all.map(({ counted }) => counted) }, options, baseline, telling)
}
