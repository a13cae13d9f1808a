import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Reading, Tagging } from '../../domain/organization.ts'
import { organizationKey } from '../../messages.ts'
import { accepted } from './records-writes.ts'

/** What the sweep last read of the organization. A function that gets the account of a message or event checks here whether it is in the fleet. */
export interface OrganizationRecord {
  last: () => Promise<Reading | undefined>
  /** What a later sweep has written stays as it is. */
  put: (reading: Reading) => Promise<void>
  /** Who has the tag. An item of its own: only a sweep needs it. */
  tagging: () => Promise<Tagging | undefined>
  putTagging: (tagging: Tagging, sweep: string) => Promise<void>
}

const keyOf = (record: 'accounts' | 'tagging') => ({ cluster: { S: organizationKey }, record: { S: record } })

const lastOf = async <T>(dynamo: DynamoDBClient, TableName: string, record: 'accounts' | 'tagging') => {
  const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key: keyOf(record), ConsistentRead: true }))
  const text = Item?.['content']?.S
  // Written by `put` and `putTagging` alone.
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

export const lastReading = (dynamo: DynamoDBClient, TableName: string) => (): Promise<Reading | undefined> =>
  lastOf(dynamo, TableName, 'accounts')

export const organizationRecord = (dynamo: DynamoDBClient, TableName: string): OrganizationRecord => {
  const put = async (record: 'accounts' | 'tagging', content: object, sweep: string) => {
    const command = new PutItemCommand({
      TableName,
      Item: { ...keyOf(record), sweep: { S: sweep }, content: { S: JSON.stringify(content) } },
      ConditionExpression: 'attribute_not_exists(#record) OR sweep <= :sweep',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':sweep': { S: sweep } },
    })
    await accepted(() => dynamo.send(command))
  }
  return {
    last: lastReading(dynamo, TableName),
    put: (reading) => put('accounts', reading, reading.sweep),
    tagging: () => lastOf(dynamo, TableName, 'tagging'),
    putTagging: (tagging, sweep) => put('tagging', tagging, sweep),
  }
}
