import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { plain } from '../../domain/plain.ts'
import { type JournalEntry, identityOf } from '../../domain/rollout/journal.ts'
import { createHash } from 'node:crypto'

/** By id, which is always short: keys and the list of known entries are limited in size. */
export const idsOf = (writes: JournalEntry[]): Map<string, JournalEntry> =>
  new Map(writes.map((write) => [idOf(write), write]))

/** Characters of each value. */
const longest = { write: 4_000, claim: 1_000 }

const idOf = (write: JournalEntry): string =>
  createHash('sha256')
    .update(`${write.rollout} ${identityOf(write)}`)
    .digest('hex')
    .slice(0, 12)

/** `KIND#WHEN#ID`, so that a query by key returns a range of time, oldest first. */
export const writeKey = (kind: 'write' | 'claim', id: string, { at }: JournalEntry): string =>
  `${kind}#${new Date(at).toISOString()}#${id}`

/** `claim`: an entry that only the cluster has, under a separate key; it never replaces a recorded write. */
const writeItem = (kind: 'write' | 'claim', id: string, write: JournalEntry): Record<string, AttributeValue> => {
  const { at, by, why, what, object, from, to, rollout } = write
  const facts = { at, by, why, what, object, before: from, after: to, rollout }
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  return {
    record: { S: writeKey(kind, id, write) },
    ...(kind === 'claim' && { claimed: { BOOL: true } }),
    // Edited annotations may contain anything.
    ...Object.fromEntries(given.map(([name, value]) => [name, { S: plain(String(value)).slice(0, longest[kind]) }])),
  }
}

/** A year, plus a month for the auditor's request. */
export const writeKeptSeconds = 400 * 86_400

interface Kept {
  kind: 'write' | 'claim'
  id: string
  write: JournalEntry
}

/** `false`: it already exists and is not changed. */
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
  /** Records the caller's writes, one item for each. Existing records are not changed. */
  keepActed: (cluster: string, writes: JournalEntry[]) => Promise<void>
}

export function actedRecords(dynamo: DynamoDBClient, table: string): ActedRecords {
  const keep = writeKeeper(dynamo, table)
  return {
    keepActed: async (cluster, writes) => {
      await Promise.all([...idsOf(writes)].map(([id, write]) => keep(cluster, { kind: 'write', id, write })))
    },
  }
}
