import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type Day, dayResult, gapAfter, type SweepRate, withResult } from '../../domain/history/day.ts'
import type { Report } from '../../domain/report.ts'
import { accepted, writeKeptSeconds } from './records-writes.ts'

/** `verdicts#2026-11-29`: a query by key returns a range of days, oldest first. */
export const dayKey = (date: string): string => `verdicts#${date}`

/** Two concurrent evaluations of one cluster are rare, three even more. */
const triesAtMost = 5

/**
 * Records the result of an evaluation: one item for each cluster and day, kept as long as the writes. A repeated
 * evaluation, or an earlier one that arrives late, changes nothing. `sweep`: the deployment's, recorded with the
 * result; absent: it is not known.
 */
export const verdictKeeper =
  (dynamo: DynamoDBClient, table: string, sweep?: SweepRate) =>
  async (cluster: string, report: Report): Promise<void> => {
    const at = new Date(report.observedAt).toISOString()
    const Key = { cluster: { S: cluster }, record: { S: dayKey(at.slice(0, 10)) } }
    for (let tries = 1; ; tries += 1) {
      const { Item } = await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))
      const day = withResult(dayIn(Item), at, { ...dayResult(report), ...(sweep && { gapMinutes: gapAfter(sweep) }) })
      if (!day) return
      if (await accepted(() => dynamo.send(put(table, { ...Key, ...dayItem(day, at) }, Item?.['state'])))) return
      if (tries >= triesAtMost)
        throw new Error(`The recorded verdicts of ${cluster} were changed by other functions each time.`)
    }
  }

/** `read`: the state of the item that was read; absent: there was none. */
const put = (TableName: string, Item: Record<string, AttributeValue>, read: AttributeValue | undefined) =>
  new PutItemCommand({
    TableName,
    Item,
    ConditionExpression: read ? '#state = :read' : 'attribute_not_exists(#state)',
    ExpressionAttributeNames: { '#state': 'state' },
    ...(read && { ExpressionAttributeValues: { ':read': read } }),
  })

/** `state`: the last evaluation and the number of omitted results; unique for each state of the day. */
const dayItem = (day: Day, at: string): Record<string, AttributeValue> => ({
  verdicts: { S: JSON.stringify(day) },
  state: { S: `${at} ${day.leftOut}` },
  expiresAt: { N: String(Math.floor(Date.parse(at) / 1_000) + writeKeptSeconds) },
})

const dayIn = (item: Record<string, AttributeValue> | undefined): Day | undefined => {
  const text = item?.['verdicts']?.S
  // Written by `dayItem` alone.
  return text === undefined ? undefined : (JSON.parse(text) as Day)
}
