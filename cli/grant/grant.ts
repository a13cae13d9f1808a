import { type Command, Option } from 'commander'
import type { Ending } from '../exit-status.ts'
import { UsageError } from '../failure.ts'
import { type OutputOptions, several, withExamples, withOutput, withProse } from '../options.ts'

export interface GrantOptions extends OutputOptions {
  cluster?: string[]
  region?: string[]
  all?: boolean
  role?: string[]
  account?: string[]
  viewerRole?: string
  operatorRole?: string
  changes?: boolean
  guard: boolean
  dryRun?: boolean
  remove?: boolean
  yes?: boolean
}

export const addGrant = (program: Command, end: Ending): void => {
  const command = program
    .command('grant')
    .description('Give the roles of a deployment access to EKS clusters: access entries, and RBAC with its guard.')
    .option('--cluster <name>', 'an EKS cluster by name; may be given several times', several)
    .addOption(
      new Option('--region <region>', 'its AWS region; with --all several times').argParser(several).env('AWS_REGION'),
    )
    .option('--all', 'every cluster of the region')
    .option('--role <arn or name>', 'IAM role to assume for it; an ARN, several times for several accounts', several)
    .option('--account <id>', 'account in which the role of that name is assumed; may be given several times', several)
    .option(
      '--viewer-role <arn>',
      "the role that reads (default: calico-ipvs-sync-viewer in the cluster's account)",
      principal,
    )
    .option(
      '--operator-role <arn>',
      "with --changes: the role that changes (default: calico-ipvs-sync-operator in the cluster's account)",
      principal,
    )
    .option('--changes', 'also give access to the operator role, for changes')
    .option('--no-guard', 'without the admission policies that restrict the operator role to a rollout')
    .option('--remove', 'remove what grant created, and nothing else')
    .option('--dry-run', 'show the changes without making them')
    .option('-y, --yes', 'do not ask')
  withProse(command, ending)
  withExamples(
    command,
    'calico-ipvs-sync grant --cluster prod-1 --region eu-west-1 --dry-run',
    'calico-ipvs-sync grant --all --region eu-west-1 --changes',
    'calico-ipvs-sync grant --cluster prod-1 --region eu-west-1 --remove',
  )
  withOutput(command, ['text', 'json']).action(async (options: GrantOptions) => {
    refuseNonsense(options)
    const { runGrant } = await import('./run.ts')
    end(await runGrant(options))
  })
}

const ending = 'Exit status: 0 all done, 1 something was left, 2 something failed, 64 usage.'

/** One role: not a user, not a session, not a pattern. */
const principal = (text: string): string => {
  if (/^arn:[a-z-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text)) return text
  const [, partition, account, name] = /^arn:([a-z-]+):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(text) ?? []
  const role = name === undefined ? '' : ` This is a session of arn:${partition}:iam::${account}:role/${name}.`
  throw new UsageError(`Give the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME.${role}`)
}

const refuseNonsense = (options: GrantOptions): void => {
  const { cluster = [], region = [], all = false, role = [], account = [], viewerRole, operatorRole } = options
  const { yes = false, dryRun = false } = options
  if (cluster.length > 0 === all) throw new UsageError('grant needs --cluster NAME, which can be repeated, or --all.')
  if (region.length === 0) throw new UsageError('grant needs --region REGION (or AWS_REGION).')
  if (!all && region.length > 1) throw new UsageError('--cluster allows one --region; several need --all.')
  if (account.length > 0 && (role.length !== 1 || role[0]?.startsWith('arn:')))
    throw new UsageError('--account goes with one --role by name, which is then assumed in each account.')
  if (account.length === 0 && role.some((it) => !it.startsWith('arn:')))
    throw new UsageError('--role needs an ARN, or a name together with --account.')
  if (!all && Math.max(role.length, account.length) > 1)
    throw new UsageError('--cluster allows one account; several need --all.')
  if (viewerRole !== undefined && viewerRole === operatorRole)
    throw new UsageError(
      '--viewer-role and --operator-role are the same role: it could read and change. Give two roles.',
    )
  if (!yes && !dryRun && !(process.stdin.isTTY && process.stderr.isTTY))
    throw new UsageError('grant asks before it writes, and there is no terminal to ask on: add --yes, or --dry-run.')
}
