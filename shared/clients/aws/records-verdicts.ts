import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type Day, seenIn, withLook } from '../../domain/history/day.ts'
import type { Report } from '../../domain/report.ts'
import { accepted, writeKeptSeconds } from './records-writes.ts'

/** `verdicts#2026-11-29`: a query by key answers for a span of days, oldest first. */
export const dayKey = (date: string): string => `verdicts#${date}`

/** Two looks at one cluster at the same time are rare, three rarer. */
const triesAtMost = 5

/**
 * Puts on record what a look saw: an item for each cluster and day, kept as long as the writes. The same look twice, or an
 * earlier one that comes late, changes nothing.
 */
export const verdictKeeper =
  (dynamo: DynamoDBClient, table: string) =>
  async (cluster: string, report: Report): Promise<void> => {
    const at = new Date(report.observedAt).toISOString()
    const Key = { cluster: { S: cluster }, record: { S: dayKey(at.slice(0, 10)) } }
    for (let tries = 1; ; tries += 1) {
      const { Item } = await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))
      const day = withLook(dayIn(Item), at, seenIn(report))
      if (!day) return
      if (await accepted(() => dynamo.send(put(table, { ...Key, ...dayItem(day, at) }, Item?.['state'])))) return
      if (tries >= triesAtMost) throw new Error(`Others kept changing the verdicts of ${cluster} on record.`)
    }
  }

/** `read`: the state of the item that was read; none: there was none. */
const put = (TableName: string, Item: Record<string, AttributeValue>, read: AttributeValue | undefined) =>
  new PutItemCommand({
    TableName,
    Item,
    ConditionExpression: read ? '#state = :read' : 'attribute_not_exists(#state)',
    ExpressionAttributeNames: { '#state': 'state' },
    ...(read && { ExpressionAttributeValues: { ':read': read } }),
  })

/** `state`: which look was the last, and how many had no room; no other state of the day shares it. */
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
