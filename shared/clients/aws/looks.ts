import { type AttributeValue, type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { withRequest, type Looks, noLooks } from '../../domain/pending-look.ts'
import { inTime } from './limits.ts'
import { keyOfLooks, looksItem } from './looks-item.ts'
import { accepted } from './records-writes.ts'

/** Evaluations that events request. */
export interface LookRequests {
  /**
   * The seconds after which a new evaluation is due; `undefined`: one is pending that has not begun. Throws if this
   * is not known: then an evaluation is requested. `by`: the same for each retry of one invocation.
   */
  ask: (cluster: string, by: string) => Promise<{ delaySeconds: number } | undefined>
}

/**
 * For all calls of `ask` together: the function that receives events has fifteen seconds, and must still send the
 * message.
 */
const askMs = 4_000
/** Each lost race means that another event, or an evaluation, was first. */
const attempts = 5

export function lookRequests(
  dynamo: DynamoDBClient,
  table: string,
  { gapSeconds, now = () => Date.now() }: { gapSeconds: number; now?: () => number },
): LookRequests {
  const load = async (cluster: string, options: object): Promise<Looks> => {
    const get = new GetItemCommand({ TableName: table, Key: keyOfLooks(cluster), ConsistentRead: true })
    return looksIn((await dynamo.send(get, options)).Item)
  }
  /** `false`: it was changed since it was read. */
  const store = (cluster: string, { before, after }: { before: Looks; after: Looks }, options: object) =>
    accepted(() => {
      const put = new PutItemCommand({
        TableName: table,
        Item: looksItem(cluster, after, now()),
        ConditionExpression: 'attribute_not_exists(#record) OR (lookedAt = :looked AND pendingUntil = :until)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: {
          ':looked': { N: `${before.lookedAt}` },
          ':until': { N: `${before.pendingUntil}` },
        },
      })
      return dynamo.send(put, options)
    })
  return {
    ask: (cluster, by) =>
      inTime(
        'dynamodb:PutItem',
        async (options) => {
          for (let attempt = 0; attempt < attempts; attempt += 1) {
            const before = await load(cluster, options)
            const asked = withRequest(before, { by, now: now(), gapMs: gapSeconds * 1000 })
            if (!asked || (await store(cluster, { before, after: asked.store }, options))) return asked
          }
          throw new Error('Too many events request an evaluation at one time.')
        },
        askMs,
      ),
  }
}

const looksIn = (item: Record<string, AttributeValue> | undefined): Looks => {
  if (!item) return noLooks
  const number = (name: string) => Number(item[name]?.N ?? 0)
  const text = (name: string) => item[name]?.S ?? ''
  return {
    lookedAt: number('lookedAt'),
    lookedBy: text('lookedBy'),
    pendingUntil: number('pendingUntil'),
    askedBy: text('askedBy'),
  }
}
