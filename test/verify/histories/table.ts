import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { call, type Party } from './call.ts'
import { holds, type Item } from './condition.ts'
import type { Stage } from './stage.ts'

export const tableName = 'records'

/** The table of records: the product's own clients write it through `client`, each call of which may go wrong. */
export interface Table {
  client: (party: Party) => DynamoDBClient
  get: (cluster: string, record: string) => Item | undefined
  all: (cluster: string, prefix?: string) => Item[]
}

/** In the document of the fleet's budget; 0 in any other. */
const holdersOf = (item: Item | undefined): number =>
  item?.['budget']?.S === undefined ? 0 : (JSON.parse(item['budget'].S) as { holders: unknown[] }).holders.length

interface Input {
  Key?: Item
  Item?: Item
  ConditionExpression?: string
  KeyConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Item
}

const named = (name: string, message: string) => () => Object.assign(new Error(message), { name })

export const errorsOf = (service: string) => ({
  throttled: named('ThrottlingException', `${service}: Rate exceeded`),
  failed: named('InternalServerError', `${service}: internal error`),
  lost: named('TimeoutError', `${service} did not answer within 8 s`),
})

/** `permitted`: a cluster has got a permit that had none. */
export const tableOf = (stage: Stage, permitted: () => void = () => undefined): Table => {
  const items = new Map<string, Item>()
  const keyOf = (it: Item = {}): string => `${it['cluster']?.S}\n${it['record']?.S}`
  const sorted = () => [...items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
  const effects: Record<string, (input: Input) => object> = {
    GetItemCommand: ({ Key }) => ({ Item: items.get(keyOf(Key)) }),
    PutItemCommand: ({ Item = {}, ConditionExpression, ...given }) => {
      if (!holds(ConditionExpression, items.get(keyOf(Item)), given))
        throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} })
      const had = holdersOf(items.get(keyOf(Item)))
      items.set(keyOf(Item), Item)
      if (holdersOf(Item) > had) permitted()
      return {}
    },
    DeleteItemCommand: ({ Key }) => {
      items.delete(keyOf(Key))
      return {}
    },
    QueryCommand: ({ KeyConditionExpression, ...given }) => ({
      Items: sorted().filter((item) => holds(KeyConditionExpression, item, given)),
    }),
  }
  const clientOf = (party: Party) => ({
    send: (command: { input: Input; constructor: { name: string } }) => {
      const { input } = command
      const { name } = command.constructor
      const effect = effects[name]
      if (!effect) throw new Error(`The table has no ${name}.`)
      const of = input.Key ?? input.Item
      return call(stage, party, {
        what: `DynamoDB ${name.replace('Command', '')} ${of?.['cluster']?.S ?? ''} ${of?.['record']?.S ?? ''}`,
        isWrite: name === 'PutItemCommand' || name === 'DeleteItemCommand',
        effect: () => effect(input),
        errors: errorsOf('DynamoDB'),
      })
    },
  })
  return {
    client: (party) => clientOf(party) as unknown as DynamoDBClient,
    get: (cluster, record) => items.get(`${cluster}\n${record}`),
    all: (cluster, prefix = '') =>
      sorted().filter((item) => item['cluster']?.S === cluster && (item['record']?.S ?? '').startsWith(prefix)),
  }
}
