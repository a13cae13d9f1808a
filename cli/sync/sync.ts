import { type Command, Option } from 'commander'
import { UsageError } from '../failure.ts'
import type { Ending } from '../exit-status.ts'
import { type SyncOptions, withExamples, withLook, withOutput, withPlace, withPolicy, withVerbose } from '../options.ts'

// Settings that the plan file itself has.
const inThePlan = 'strategy maxUnavailable restarts canarySeconds settleSeconds nodeDeadline'.split(' ')

export const addSync = (program: Command, end: Ending): void => {
  const command = program
    .command('sync')
    .description('Apply the plan, one safe step at a time. After an interruption it continues when run again.')
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'show the plan and write nothing')
    .addOption(
      new Option(
        '--plan <file>',
        'do exactly the plan in this file (plan -o json), or nothing if the world has moved',
      ).conflicts(inThePlan),
    )
  withExamples(
    command,
    'calico-ipvs-sync sync --context prod --probe',
    'calico-ipvs-sync sync --plan plan.json --yes',
    'calico-ipvs-sync sync --cluster prod-1 --region eu-west-1 --max-unavailable 5% --settle-seconds 60',
  )
  withVerbose(withOutput(withPolicy(withLook(withPlace(command))))).action(async (options: SyncOptions) => {
    if (!options.yes && !options.dryRun && !isTerminal())
      throw new UsageError('sync asks before it writes, and there is no terminal to ask on: add --yes, or --dry-run.')
    const { runSync } = await import('./run.ts')
    end(await runSync(options))
  })
}

/** The question goes to standard error, so that the result can be piped away. */
const isTerminal = (): boolean => process.stdin.isTTY && process.stderr.isTTY
