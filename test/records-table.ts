import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'

const keys = { cluster: 'HASH', record: 'RANGE' } as const

/** Makes a table of the deployment's records, with the keys that infra/records.ts gives it; answers its name. */
export const recordsTable = async (dynamo: DynamoDBClient, TableName = 'records'): Promise<string> => {
  await dynamo.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: Object.keys(keys).map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: Object.entries(keys).map(([AttributeName, KeyType]) => ({ AttributeName, KeyType })),
    }),
  )
  return TableName
}
