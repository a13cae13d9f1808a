import { type Command, InvalidArgumentError, Option } from 'commander'
import { asCalled } from './called-as.ts'
import { portRangeIn } from './port-range.ts'
import { hanging } from '../shared/report/text/columns.ts'
import { defaultPolicy, type Policy } from '../shared/domain/policy/policy.ts'
import type { Exception } from '../shared/domain/policy/exception.ts'
import type { FailOn } from './exit-status.ts'

/** Loaded for every `--help`, so it imports nothing large. */
export const formats = ['text', 'json', 'junit', 'sarif', 'csv', 'html', 'prometheus'] as const
export type Format = (typeof formats)[number]

export const colourChoices = ['auto', 'always', 'never'] as const
export type ColourChoice = (typeof colourChoices)[number]

export interface OutputOptions {
  output: Format
  /** `false`: `--no-color`. */
  color?: ColourChoice | false
  quiet?: boolean
  verbose?: boolean
  outputFile?: string
  debug?: boolean
}

/** `usual`: where none is given; what goes wrong is then said in text, also by a command whose result is no text. */
export const withOutput = (
  command: Command,
  choices: readonly (Format | 'yaml')[] = formats,
  usual: Format | 'yaml' = 'text',
): Command =>
  command
    .addOption(
      new Option('-o, --output <format>', 'format of the result')
        .choices(choices)
        .default(usual, choices.includes(usual) ? undefined : choices[0]),
    )
    .option('--output-file <file>', 'file for the result (default: standard output)')
    .addOption(
      new Option('--color <when>', 'colours: on a terminal, always (as FORCE_COLOR) or never (as NO_COLOR)')
        .choices(colourChoices)
        .default(undefined, 'auto'),
    )
    .option('--no-color', 'the same as --color never')
    .option('-q, --quiet', 'no progress on standard error')
    .addOption(new Option('--debug', 'show where an error came from').hideHelp())

/** Of commands that print findings. */
export const withVerbose = (command: Command): Command =>
  command.option('-v, --verbose', 'also show findings of severity info in full')

export interface PlaceOptions {
  /** The configuration file that is in force. */
  config?: string
  kubeconfig?: string
  context?: string
  cluster?: string
  region?: string
  role?: string
}

/** What is always the same for somebody. Only a file that is named counts: one in the current folder may be another's. */
export const withConfiguration = (command: Command): Command =>
  command.addOption(
    new Option(
      '--config <file>',
      'file with contexts, ranges and exceptions; what the command line says counts more',
    ).env('CALICO_IPVS_SYNC_CONFIG'),
  )

export const withPlace = (command: Command): Command =>
  withConfiguration(command)
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, ~/.kube/config)')
    .option('--context <name>', 'context in it (default: its current one)')
    .addOption(eksOption('--cluster <name>', 'an EKS cluster by name, found through the EKS API'))
    .addOption(new Option('--region <region>', 'its AWS region').env('AWS_REGION'))
    .option('--role <arn>', 'IAM role to assume for it (default: as the kubeconfig has it)')

const eksOption = (flags: string, description: string): Option =>
  new Option(flags, description).conflicts(['context', 'kubeconfig'])

export interface LookOptions {
  serviceNodePortRange?: { min: number; max: number }
  probe?: boolean
  deep?: boolean
}

export const withLook = (command: Command): Command =>
  command
    .option(
      '--service-node-port-range <min-max>',
      "the API server's range, if no EKS API returns it; without this and without --probe, no range is written",
      portRange,
    )
    .addOption(
      new Option('--probe', 'read that range from the API server, with a Service that it must reject').conflicts(
        'serviceNodePortRange',
      ),
    )
    .option('--deep', "read the logs of all pods instead of a sample, and kube-proxy's /proxyMode if it can be reached")

export interface PolicyOptions {
  strategy?: Policy['strategy']
  maxUnavailable?: Policy['maxUnavailable']
  restarts?: Policy['restarts']
  canarySeconds?: number
  settleSeconds?: number
  nodeDeadline?: number
  ignoreOwner?: boolean
  /** Of the configuration file. */
  exceptions?: readonly Exception[]
}

export const withPolicy = (command: Command): Command => {
  const { strategy, maxUnavailable, restarts, canarySeconds, settleSeconds, nodeDeadlineSeconds } = defaultPolicy
  const choice = (flags: string, description: string, choices: readonly string[]): Option =>
    new Option(flags, description).choices(choices)
  return command
    .addOption(
      choice('--strategy <name>', `how a range reaches the nodes (default: ${strategy})`, [
        'staged',
        'canary',
        'direct',
      ]),
    )
    .option('--max-unavailable <n|n%>', `nodes disturbed at one time (default: ${maxUnavailable})`, nodeBudget)
    .addOption(
      choice('--restarts <when>', `when calico-node is restarted (default: ${restarts})`, ['auto', 'always', 'never']),
    )
    .option('--canary-seconds <s>', `how long the first node must stay well (default: ${canarySeconds})`, seconds)
    .option('--settle-seconds <s>', `the same for every later node (default: ${settleSeconds})`, seconds)
    .option(
      '--node-deadline <s>',
      `seconds after which a node that is not well halts the rollout (default: ${nodeDeadlineSeconds})`,
      deadline,
    )
    .option('--ignore-owner', 'write even if GitOps owns the object')
}

export type DoctorOptions = OutputOptions & PlaceOptions & { lookOnly?: boolean }

export type SyncOptions = OutputOptions &
  PlaceOptions &
  LookOptions &
  PolicyOptions & { plan?: string; dryRun?: boolean; yes?: boolean }

export type RolloutOptions = OutputOptions & PlaceOptions & LookOptions & { state?: string; force?: boolean }
export type RolloutAct = 'pause' | 'resume' | 'abort'
export type RolloutView = 'status' | 'log' | 'evidence'

export const withFailOn = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--fail-on <severity>',
        'exit 1 also for findings of this severity; never: exit 0 for every verdict but unknown',
      ).choices(['critical', 'warning', 'never'] satisfies FailOn[]),
    )
    .option('--baseline <file>', 'an earlier result (-o json): exit 1 only for what is new since')

/** Below a command's options, as wide as these. */
export const withProse = (command: Command, text: string): Command =>
  command.addHelpText('after', ({ command: it, error }) => {
    const output = it.configureOutput()
    const width = error ? output.getErrHelpWidth?.() : output.getOutHelpWidth?.()
    return `\n${wrappedLines(text, width ?? 80)}`
  })

export const wrappedLines = (text: string, width: number | undefined): string =>
  text
    .split('\n')
    .flatMap((line) => hanging(line, '', '', width))
    .join('\n')

/** Examples below a command's options: each can be pasted. */
export const withExamples = (command: Command, ...examples: string[]): Command =>
  command.addHelpText('after', () => asCalled(`\nExamples:\n${examples.map((it) => `  ${it}`).join('\n')}`))

export const policyOf = (options: PolicyOptions): Policy => {
  const { nodeDeadline, strategy, maxUnavailable, restarts, canarySeconds, settleSeconds, ignoreOwner, exceptions } =
    options
  const given = { strategy, maxUnavailable, restarts, canarySeconds, settleSeconds, ignoreOwner, exceptions }
  const known = Object.entries({ ...given, nodeDeadlineSeconds: nodeDeadline }).filter(([, it]) => it !== undefined)
  return { ...defaultPolicy, ...(Object.fromEntries(known) as Partial<Policy>) }
}

/** For options that may be given several times. */
export const several = (value: string, before: string[] = []): string[] => [...before, value]

const wholeNumber = (text: string, least: number, what: string): number => {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least)) throw new InvalidArgumentError(`Give ${what}, ${least} or more.`)
  return value
}

const seconds = (text: string): number => wholeNumber(text, 0, 'whole seconds')
const deadline = (text: string): number => wholeNumber(text, 1, 'whole seconds')

const nodeBudget = (text: string): Policy['maxUnavailable'] => {
  if (!text.endsWith('%')) return wholeNumber(text, 1, 'a number of nodes or a percentage')
  const percent = wholeNumber(text.slice(0, -1), 1, 'a percentage')
  if (percent > 100) throw new InvalidArgumentError('Give at most 100%.')
  return `${percent}%`
}

const portRange = (text: string): { min: number; max: number } => {
  const range = portRangeIn(text)
  if (!range) throw new InvalidArgumentError("Give it like the API server's option: 30000-32767, between 1 and 65535.")
  return range
}
