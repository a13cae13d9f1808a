import { type Command, InvalidArgumentError, Option } from 'commander'
import type { History } from '../../shared/domain/history/history.ts'
import { exitStatus } from '../exit-status.ts'
import type { Ending } from '../exit-status.ts'
import { UsageError } from '../failure.ts'
import { type OutputOptions, withExamples, withOutput } from '../options.ts'
import { progress } from '../progress.ts'
import { bold, printed, widthOf } from '../streams.ts'

export interface HistoryOptions extends OutputOptions {
  cluster: string
  region?: string
  account?: string
  from?: string
  to?: string
  gap?: number
  table?: string
  stack: string
  hubRegion?: string
}

export const addHistory = (program: Command, end: Ending): void => {
  const command = program
    .command('history')
    .description('Verdicts and writes of a cluster between two days, from the records of a deployment.')
    .requiredOption('--cluster <name>', 'an EKS cluster by name')
    .addOption(new Option('--region <region>', 'its AWS region').env('AWS_REGION'))
    .option('--account <id>', 'its account (default: that of the credentials)', accountId)
    .option('--from <day>', 'first day, UTC: 2026-11-20 (default: a week before the last)', date)
    .option('--to <day>', 'last day, UTC (default: today)', date)
    .option(
      '--gap <minutes>',
      'minutes without an evaluation that count as a gap (default: two sweeps, as they were configured)',
      minutes,
    )
    .addOption(
      new Option('--table <name or ARN>', 'the records (default: found by --stack)').env('CALICO_IPVS_SYNC_TABLE'),
    )
    .option('--stack <name>', 'the deployment', 'CalicoIpvsSync')
    .option('--hub-region <region>', 'region of the deployment (default: that of the cluster)')
  withExamples(
    command,
    'calico-ipvs-sync history --cluster prod-1 --region eu-west-1',
    'calico-ipvs-sync history --cluster prod-1 --region eu-west-1 --from 2026-11-20 --to 2026-11-27 -o html --output-file proof.html',
  )
  withOutput(command, ['text', 'json', 'csv', 'html']).action(async (options: HistoryOptions) =>
    end(await history(options)),
  )
}

const history = async (options: HistoryOptions): Promise<number> => {
  const { region, quiet = false } = options
  if (region === undefined) throw new UsageError('history needs --region (or AWS_REGION): which region is it in?')
  const span = spanOf(options)
  const { readHistory } = await import('./read.ts')
  const telling = progress(quiet)
  telling.doing('reading the records')
  const found = await readHistory({ ...options, region, ...span }).finally(() => telling.clear())
  await printed(await rendered(found, options), options)
  return exitStatus.inStep
}

const rendered = async (found: History, options: OutputOptions): Promise<string> => {
  switch (options.output) {
    case 'json':
      return (await import('../../shared/report/json.ts')).json(found)
    case 'csv':
      return (await import('../../shared/report/history/csv.ts')).historyCsv(found)
    case 'html':
      return (await import('../../shared/report/history/html.ts')).historyHtml(found)
    default:
      return (await import('../../shared/report/history/text.ts')).historyText(found, {
        bold: bold(options),
        width: widthOf(process.stdout, options.outputFile),
      })
  }
}

const dayMs = 86_400_000
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** Both days are inclusive. The records are kept for a year and a month. */
const spanOf = ({ from, to }: HistoryOptions): { first: string; last: string } => {
  const today = dayOf(Date.now())
  const last = to === undefined || to > today ? today : to
  const first = from ?? dayOf(Date.parse(last) - 7 * dayMs)
  if (first > last) throw new UsageError(`--from ${first} is after --to ${last}.`)
  return { first, last }
}

const date = (text: string): string => {
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && Number.isFinite(Date.parse(text)) && dayOf(Date.parse(text)) === text
  if (!isDay) throw new InvalidArgumentError('Give a day such as 2026-11-20.')
  return text
}

const accountId = (text: string): string => {
  if (!/^\d{12}$/.test(text)) throw new InvalidArgumentError('Give the twelve digits of an AWS account.')
  return text
}

const minutes = (text: string): number => {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('Give whole minutes.')
  return Number(text)
}
