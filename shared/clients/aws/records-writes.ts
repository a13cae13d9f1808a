import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { plain } from '../../domain/plain.ts'
import { type Entry, identityOf } from '../../domain/rollout/journal.ts'
import { createHash } from 'node:crypto'

/** By id, which is short whatever stands in the entry: keys and the list of what is known have bounds. */
export const idsOf = (writes: Entry[]): Map<string, Entry> => new Map(writes.map((write) => [idOf(write), write]))

/** Characters of each value. */
const longest = { write: 4_000, claim: 1_000 }

const idOf = (write: Entry): string =>
  createHash('sha256')
    .update(`${write.rollout} ${identityOf(write)}`)
    .digest('hex')
    .slice(0, 12)

/** `KIND#WHEN#ID`, so that a query by key answers for a span of time, oldest first. */
export const writeKey = (kind: 'write' | 'claim', id: string, { at }: Entry): string =>
  `${kind}#${new Date(at).toISOString()}#${id}`

/** `claim`: what only the cluster says, under a key of its own; it stands in the place of nothing that was seen done. */
const writeItem = (kind: 'write' | 'claim', id: string, write: Entry): Record<string, AttributeValue> => {
  const { at, by, why, what, object, from, to, rollout } = write
  const facts = { at, by, why, what, object, before: from, after: to, rollout }
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  return {
    record: { S: writeKey(kind, id, write) },
    ...(kind === 'claim' && { claimed: { BOOL: true } }),
    // Annotations that somebody mangled may hold anything.
    ...Object.fromEntries(given.map(([name, value]) => [name, { S: plain(String(value)).slice(0, longest[kind]) }])),
  }
}

/** A year, and the month in which it is asked for. */
export const writeKeptSeconds = 400 * 86_400

interface Kept {
  kind: 'write' | 'claim'
  id: string
  write: Entry
}

/** `false`: it is there already, and stays as it is. */
export const writeKeeper =
  (dynamo: DynamoDBClient, table: string) =>
  (cluster: string, { kind, id, write }: Kept): Promise<boolean> => {
    const expiresAt = { N: String(Math.floor(Date.parse(write.at) / 1_000) + writeKeptSeconds) }
    const put = new PutItemCommand({
      TableName: table,
      Item: { cluster: { S: cluster }, ...writeItem(kind, id, write), expiresAt },
      ConditionExpression: 'attribute_not_exists(#record)',
      ExpressionAttributeNames: { '#record': 'record' },
    })
    return accepted(() => dynamo.send(put))
  }

export async function accepted(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}

export interface ActedRecords {
  /** Puts on record what the caller has done, each write an item of its own. What is on record stays as it is. */
  keepActed: (cluster: string, writes: Entry[]) => Promise<void>
}

export function actedRecords(dynamo: DynamoDBClient, table: string): ActedRecords {
  const keep = writeKeeper(dynamo, table)
  return {
    keepActed: async (cluster, writes) => {
      await Promise.all([...idsOf(writes)].map(([id, write]) => keep(cluster, { kind: 'write', id, write })))
    },
  }
}
