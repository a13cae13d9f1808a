import { type AttributeValue, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { clockMs, type Looks, noLooks } from '../../domain/pending-look.ts'
import { accepted } from './records-writes.ts'

type Item = Record<string, AttributeValue>

export const keyOfLooks = (cluster: string): Item => ({ cluster: { S: cluster }, record: { S: 'looks' } })

/** Forgotten by the table itself; what it says counts for minutes. */
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

/** A look that an event asked for, and that is about to begin. */
export interface BeginningLook {
  messageId: string
  /** RFC 3339. */
  at: string
  /** The event, as the message has it. */
  heard: { at: string; by: string }
}

/**
 * Takes what is pending off, before anything is read: an event from now on needs another look. `false`: a look for another
 * message began after the event was heard, and no event relies on this one; it need not be.
 */
export const lookBeginner =
  (dynamo: DynamoDBClient, TableName: string) =>
  (cluster: string, { messageId, at, heard }: BeginningLook): Promise<boolean> => {
    const now = Date.parse(at)
    const put = new PutItemCommand({
      TableName,
      Item: looksItem(cluster, { ...noLooks, lookedAt: now, lookedBy: messageId }, now),
      // Its own look, begun and killed, has covered nothing.
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
