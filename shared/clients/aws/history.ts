import { type AttributeValue, type DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb'
import * as z from 'zod/mini'
import type { Day } from '../../domain/history/day.ts'
import type { Write } from '../../domain/history/history.ts'
import { findingCodes } from '../../domain/report.ts'
import { dayKey } from './records-verdicts.ts'

/** The records of one cluster between two days, both inclusive. */
export interface Recorded {
  days: Day[]
  writes: Write[]
  /** The number of invalid items; they are left out. */
  unreadable: number
}

const verdict = z.enum(['in-step', 'out-of-step', 'changing', 'not-applicable', 'unknown'])
const interval = z.object({
  from: z.iso.datetime(),
  until: z.iso.datetime(),
  looks: z.int(),
  verdict,
  findings: z.array(z.object({ code: z.enum(findingCodes), severity: z.enum(['critical', 'warning', 'info']) })),
  desiredRange: z.optional(z.array(z.string())),
  nodes: z.partialRecord(verdict, z.int()),
  gapMinutes: z.optional(z.int().check(z.positive())),
})
const day = z.object({ intervals: z.array(interval), leftOut: z.int() })
const write = z.object({
  at: z.string(),
  rollout: z.string(),
  what: z.string(),
  object: z.string(),
  before: z.optional(z.string()),
  after: z.optional(z.string()),
  by: z.string(),
  why: z.optional(z.string()),
})

type Item = Record<string, AttributeValue>

/** A year of one cluster has some thousands; more must be requested in parts. */
const itemsAtMost = 20_000

/**
 * `cluster`: `account/region/name`. `from`, `to`: days of UTC, `2026-11-20`. Throws the SDK's own errors, and if
 * there are too many items.
 */
export const recordedBetween = async (
  dynamo: DynamoDBClient,
  table: string,
  { cluster, from, to }: { cluster: string; from: string; to: string },
): Promise<Recorded> => {
  // `~` sorts after all keys of the day.
  const ask = (first: string, last: string) => itemsOf(dynamo, table, { cluster, first, last: `${last}~` })
  const items = await ask(dayKey(from), dayKey(to))
  const [acted, claimed] = [await ask(`write#${from}`, `write#${to}`), await ask(`claim#${from}`, `claim#${to}`)]
  const days = items.map(dayOf)
  const writes = [...acted, ...claimed].map(writeOf)
  return {
    days: days.filter((it) => it !== undefined),
    writes: writes.filter((it) => it !== undefined),
    unreadable: [...days, ...writes].filter((it) => it === undefined).length,
  }
}

const itemsOf = async (
  dynamo: DynamoDBClient,
  TableName: string,
  { cluster, first, last }: { cluster: string; first: string; last: string },
): Promise<Item[]> => {
  const items: Item[] = []
  let ExclusiveStartKey: Item | undefined
  do {
    const { Items = [], LastEvaluatedKey } = await dynamo.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#cluster = :cluster AND #record BETWEEN :first AND :last',
        ExpressionAttributeNames: { '#cluster': 'cluster', '#record': 'record' },
        ExpressionAttributeValues: { ':cluster': { S: cluster }, ':first': { S: first }, ':last': { S: last } },
        ...(ExclusiveStartKey && { ExclusiveStartKey }),
      }),
    )
    items.push(...Items)
    if (items.length > itemsAtMost)
      throw new Error(`There are more than ${itemsAtMost} records of ${cluster} in these days; request fewer days.`)
    ExclusiveStartKey = LastEvaluatedKey
  } while (ExclusiveStartKey)
  return items
}

const dayOf = (item: Item): Day | undefined => {
  try {
    const parsed = day.safeParse(JSON.parse(item['verdicts']?.S ?? ''))
    return parsed.success ? (parsed.data as Day) : undefined
  } catch {
    return undefined
  }
}

const writeOf = (item: Item): Write | undefined => {
  const texts = Object.entries(item).flatMap(([name, { S }]) => (S === undefined ? [] : [[name, S]]))
  const parsed = write.safeParse(Object.fromEntries(texts))
  const isDated = parsed.success && Number.isFinite(Date.parse(parsed.data.at))
  return isDated
    ? ({ ...parsed.data, at: new Date(parsed.data.at).toISOString(), claimed: item['claimed']?.BOOL === true } as Write)
    : undefined
}
