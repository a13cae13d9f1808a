import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import type { Threads } from '../slack.ts'
import { accepted } from './records-writes.ts'

/** The only key of the records' table that notify-slack may access. */
export const slackPlace = 'slack'

const keptSeconds = 90 * 86_400
/** A claim without a posted message (the function died in between) expires after this time. */
const claimSeconds = 60

/** The first message of an incident in a channel. */
export const slackThreads = (
  dynamo: DynamoDBClient,
  table: string,
  { channel, now }: { channel: string; now: () => Date },
): Threads => {
  const seconds = () => Math.floor(now().getTime() / 1_000)
  const keyOf = (incident: string) => ({ cluster: { S: slackPlace }, record: { S: `thread#${channel}#${incident}` } })
  const put = (incident: string, item: { ts?: string; claimedAt: number }, once?: string) => {
    const { ts, claimedAt } = item
    const command = new PutItemCommand({
      TableName: table,
      Item: {
        ...keyOf(incident),
        ...(ts !== undefined && { ts: { S: ts } }),
        claimedAt: { N: String(claimedAt) },
        expiresAt: { N: String(seconds() + keptSeconds) },
      },
      ...(once && {
        ConditionExpression: once,
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':stale': { N: String(seconds() - claimSeconds) } },
      }),
    })
    return accepted(() => dynamo.send(command))
  }
  const isFree = 'attribute_not_exists(#record) OR (attribute_not_exists(ts) AND claimedAt <= :stale)'
  return {
    find: async (incident) => {
      if (await put(incident, { claimedAt: seconds() }, isFree)) return 'first'
      const get = new GetItemCommand({ TableName: table, Key: keyOf(incident), ConsistentRead: true })
      const ts = (await dynamo.send(get)).Item?.['ts']?.S
      return ts === undefined ? 'busy' : { ts }
    },
    keep: async (incident, ts) => void (await put(incident, { ts, claimedAt: seconds() })),
    forget: async (incident) => void (await put(incident, { claimedAt: 0 })),
  }
}
