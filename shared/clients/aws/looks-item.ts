import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { clockMs, type Looks, noLooks } from '../../domain/pending-look.ts'
import { accepted } from './records-writes.ts'

type Item = Record<string, AttributeValue>

export const keyOfLooks = (cluster: string): Item => ({ cluster: { S: cluster }, record: { S: 'looks' } })

/** Expired by the table (TTL); it is valid for minutes only. */
const keptSeconds = 7 * 86_400

export const looksItem = (
  cluster: string,
  { lookedAt, lookedBy, pendingUntil, askedBy }: Looks,
  now: number,
): Item => ({
  ...keyOfLooks(cluster),
  lookedAt: { N: `${lookedAt}` },
  lookedBy: { S: lookedBy },
  pendingUntil: { N: `${pendingUntil}` },
  askedBy: { S: askedBy },
  expiresAt: { N: `${Math.floor(now / 1000) + keptSeconds}` },
})

/** An evaluation for an event that is about to begin. */
export interface BeginningLook {
  messageId: string
  /** RFC 3339. */
  at: string
  /** The event, as the message has it. */
  heard: { at: string; by: string }
}

/**
 * Clears the pending evaluation before anything is read: later events need another one. `false`: an evaluation for
 * another message began after the event was received, and no event relies on this one; it is not necessary.
 */
export const lookBeginner =
  (dynamo: DynamoDBClient, TableName: string) =>
  (cluster: string, { messageId, at, heard }: BeginningLook): Promise<boolean> => {
    const now = Date.parse(at)
    const put = new PutItemCommand({
      TableName,
      Item: looksItem(cluster, { ...noLooks, lookedAt: now, lookedBy: messageId }, now),
      // An earlier attempt of this message that was killed does not count.
      ConditionExpression:
        'attribute_not_exists(#record) OR lookedAt <= :heard OR lookedBy = :me OR (pendingUntil > :none AND askedBy = :by)',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: {
        ':heard': { N: `${Date.parse(heard.at) + clockMs}` },
        ':me': { S: messageId },
        ':none': { N: '0' },
        ':by': { S: heard.by },
      },
    })
    return accepted(() => dynamo.send(put))
  }
