import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Reading } from '../../domain/organization.ts'
import { organizationKey } from '../../messages.ts'
import { accepted } from './records-writes.ts'

/** What the sweep last read of the organization. A function that gets the account of a message or event checks here whether it is in the fleet. */
export interface OrganizationRecord {
  last: () => Promise<Reading | undefined>
  /** What a later sweep has written stays as it is. */
  put: (reading: Reading) => Promise<void>
}

const Key = { cluster: { S: organizationKey }, record: { S: 'accounts' } }

export const lastReading = (dynamo: DynamoDBClient, TableName: string) => async (): Promise<Reading | undefined> => {
  const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))
  const text = Item?.['content']?.S
  // Written by `put` alone.
  return text === undefined ? undefined : (JSON.parse(text) as Reading)
}

export const organizationRecord = (dynamo: DynamoDBClient, TableName: string): OrganizationRecord => ({
  last: lastReading(dynamo, TableName),
  put: async (reading) => {
    const put = new PutItemCommand({
      TableName,
      Item: { ...Key, sweep: { S: reading.sweep }, content: { S: JSON.stringify(reading) } },
      ConditionExpression: 'attribute_not_exists(#record) OR sweep <= :sweep',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':sweep': { S: reading.sweep } },
    })
    await accepted(() => dynamo.send(put))
  },
})
