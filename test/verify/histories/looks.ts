import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { LookRequests } from '../../../shared/clients/aws/looks.ts'
import { keyOfLooks, looksItem } from '../../../shared/clients/aws/looks-item.ts'
import { accepted } from '../../../shared/clients/aws/records-writes.ts'
import { noLooks, withRequest } from '../../../shared/domain/pending-look.ts'
import { tableName } from './table.ts'

/** As `lookRequests` of the product, whose calls end by a timer of the real clock. */
export const looksOf = (dynamo: DynamoDBClient, now: () => Date): LookRequests => ({
  ask: async (cluster, by) => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const Key = keyOfLooks(cluster)
      const { Item } = await dynamo.send(new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true }))
      const before = Item
        ? {
            lookedAt: Number(Item['lookedAt']?.N),
            lookedBy: Item['lookedBy']?.S ?? '',
            pendingUntil: Number(Item['pendingUntil']?.N),
            askedBy: Item['askedBy']?.S ?? '',
          }
        : noLooks
      const asked = withRequest(before, { by, now: now().getTime(), gapMs: 60_000 })
      if (!asked) return undefined
      const put = new PutItemCommand({
        TableName: tableName,
        Item: looksItem(cluster, asked.store, now().getTime()),
        ConditionExpression: 'attribute_not_exists(#record) OR (lookedAt = :looked AND pendingUntil = :until)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: {
          ':looked': { N: `${before.lookedAt}` },
          ':until': { N: `${before.pendingUntil}` },
        },
      })
      if (await accepted(() => dynamo.send(put))) return asked
    }
    throw new Error('Too many events request an evaluation at one time.')
  },
})
