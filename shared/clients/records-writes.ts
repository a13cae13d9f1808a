import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { plain } from '../domain/plain.ts'
import { type Entry, identityOf } from '../domain/rollout/journal.ts'
import { createHash } from 'node:crypto'

/** By id, which is short whatever stands in the entry: keys and the list of what is known have bounds. */
export const idsOf = (writes: Entry[]): Map<string, Entry> => new Map(writes.map((write) => [idOf(write), write]))

const idOf = (write: Entry): string =>
  createHash('sha256')
    .update(`${write.rollout} ${identityOf(write)}`)
    .digest('hex')
    .slice(0, 12)

/** `record` is `write#WHEN#ID`, so that a query by key answers for a span of time, oldest first. */
export const writeItem = (id: string, write: Entry): Record<string, AttributeValue> => {
  const { at, by, why, what, object, from, to, rollout } = write
  const facts = { at, by, why, what, object, before: from, after: to, rollout }
  const given = Object.entries(facts).filter(([, value]) => value !== undefined)
  return {
    record: { S: `write#${new Date(at).toISOString()}#${id}` },
    // Annotations that somebody mangled may hold anything.
    ...Object.fromEntries(given.map(([name, value]) => [name, { S: plain(String(value)).slice(0, 4_000) }])),
  }
}
