import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { recordedBetween } from '../../shared/clients/aws/history.ts'
import { bounded, limited } from '../../shared/clients/aws/limits.ts'
import { leastGapMinutes } from '../../shared/domain/history/gap-limits.ts'
import { daysBeside, type History, historyOf } from '../../shared/domain/history/history.ts'
import { quoted } from '../../shared/domain/shell.ts'
import { plain } from '../../shared/domain/plain.ts'
import { clusterKey, clusterRef } from '../../shared/messages.ts'
import { Failure, UsageError } from '../failure.ts'
import { accountOf, failureOf, type RecordsPlace, tableIn } from './place.ts'
import { sdkOptions } from '../target/sdk-options.ts'

export interface Asked extends RecordsPlace {
  cluster: string
  account?: string
  /** Days of UTC, both included. */
  first: string
  last: string
  gap?: number
}

const dayMs = 86_400_000
const moved = (day: string, days: number): string => new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)

/** Throws a `Failure` with the next command: no table, no permission, no records. */
export const readHistory = async (asked: Asked): Promise<History> => {
  const { cluster: name, region, first, last, gap } = asked
  const cluster = clusterRef.safeParse({ name, region, account: asked.account ?? (await accountOf(asked)) })
  if (!cluster.success)
    throw new UsageError(
      `There is no EKS cluster ${quoted(plain(name))} in ${quoted(plain(region))}: these are not valid AWS names.`,
    )
  const key = clusterKey(cluster.data)
  const table = await tableIn(asked)
  const dynamo = bounded(new DynamoDBClient({ region: table.region, ...limited, ...(await sdkOptions()) }))
  const beside = daysBeside(gap)
  const ask = { cluster: key, from: moved(first, -beside), to: moved(last, beside) }
  const found = await recordedBetween(dynamo, table.name, ask).catch((error: unknown) => {
    throw failureOf(error, table)
  })
  const to = new Date(Date.parse(last) + dayMs).toISOString()
  const span = { from: new Date(first).toISOString(), to, readAt: new Date().toISOString() }
  const recorded = found.days.flatMap(({ intervals }) => intervals)
  const least = leastGapMinutes(recorded.filter((it) => it.from < span.to && it.until >= span.from))
  if (gap !== undefined && gap < least)
    throw new UsageError(
      `--gap ${gap} is too short: the records do not show gaps of less than ${least} minutes. Give ${least} or more.`,
    )
  const history = historyOf(found, { cluster: cluster.data, ...span, ...(gap !== undefined && { gapMinutes: gap }) })
  if (history.intervals.length === 0 && history.writes.length === 0)
    throw await nothing(dynamo, table, { key, cluster: cluster.data, first, last })
  return history
}

interface Missing {
  key: string
  cluster: { account: string; region: string; name: string }
  first: string
  last: string
}

/** Explains why there are no records, and which records exist. */
const nothing = async (
  dynamo: DynamoDBClient,
  table: { name: string; region: string },
  { key, cluster, first, last }: Missing,
): Promise<Failure> => {
  const { GetItemCommand } = await import('@aws-sdk/client-dynamodb')
  const Key = { cluster: { S: key }, record: { S: 'assessment' } }
  const { Item } = await dynamo
    .send(new GetItemCommand({ TableName: table.name, Key }))
    .catch(() => ({ Item: undefined }))
  const seenAt = Item?.['observedAt']?.S?.slice(0, 10)
  const why = `There are no records of ${key} from ${first} to ${last}`
  const { account, name, region } = cluster
  if (seenAt === undefined || !/^\d{4}-\d\d-\d\d$/.test(seenAt))
    return new Failure(
      `${why}, nor is there a report of it: this deployment has not evaluated it.`,
      `aws eks list-clusters --region ${quoted(region)}   # with credentials of account ${account}`,
    )
  return new Failure(
    `${why}. Its last evaluation was on ${seenAt}.`,
    `calico-ipvs-sync history --cluster ${quoted(name)} --region ${quoted(region)} --account ${account} --to ${seenAt} --hub-region ${quoted(table.region)} --table ${quoted(table.name)}`,
  )
}
