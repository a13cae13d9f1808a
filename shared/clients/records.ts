import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandOutput,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Switch } from '../domain/policy.ts'
import type { Report } from '../domain/report.ts'
import type { OutgoingNotice } from './notices.ts'
import type { Entry } from '../domain/rollout/journal.ts'
import { packed, unpacked } from './records-body.ts'
import { idsOf, writeItem } from './records-writes.ts'

/** What is remembered between looks: the last assessment per cluster, and what people were told. Keys: `clusterKey`. */
export interface Records {
  lastReport: (cluster: string) => Promise<Report | undefined>
  /** `false`: a later look (by `observedAt`) is stored already. */
  putReport: (cluster: string, report: Report) => Promise<boolean>
  /** What people know of the switches. `key`: a cluster, or the whole deployment (`deploymentKey`). */
  lastSwitch: (key: string) => Promise<StoredSwitch | undefined>
  putSwitch: (key: string, stored: StoredSwitch) => Promise<void>
  /**
   * Whoever claims first tells. `claimed`: tell now, then `confirm` · `told`: people know · `busy`: somebody else
   * claimed it in the last five minutes; look again later.
   */
  claim: (notice: NoticeKey, now: string) => Promise<'claimed' | 'told' | 'busy'>
  confirm: (notice: NoticeKey, now: string) => Promise<void>
  /** Gives a claim back: the notice could not be sent, and may be tried again at once. */
  release: (notice: NoticeKey, now: string) => Promise<void>
  /** Puts a notice on record before it is sent; the first one of a key stays. */
  keepNotice: (notice: NoticeKey, content: OutgoingNotice, now: string) => Promise<void>
  keptNotice: (notice: NoticeKey) => Promise<OutgoingNotice | undefined>
  /**
   * Puts on record what is not there yet, each write an item of its own, and says how many. Cut short anywhere it is
   * done again: the same write has the same key and the same content.
   */
  keepWrites: (cluster: string, writes: Entry[], now: string) => Promise<number>
}

/** `state`: what the switches say, as a text that is the same while they stay the same. `since`: RFC 3339. */
export interface StoredSwitch {
  state: string
  action: Switch['action']
  since: string
}

export interface NoticeKey {
  cluster: string
  /** What makes it the same notice: derived from what is said, never from when. */
  hash: string
}

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1_000)
const days = 86_400
/**
 * Reports of clusters that are gone, notices that were told, and writes, are forgotten by the table itself (TTL on
 * `expiresAt`). Writes are evidence: kept for a year and the month in which it is asked for.
 */
const keptFor = { report: 90 * days, notice: 30 * days, write: 400 * days }
/** Writes that are put at one time. */
const batch = 25
/** A claim that was never confirmed (the function died in between) is open again. */
const claimSeconds = 300

export function records(dynamo: DynamoDBClient, table: string): Records {
  const put = (item: Omit<PutItemCommandInput, 'TableName'>) =>
    wasAccepted(() => dynamo.send(new PutItemCommand({ TableName: table, ...item })))
  const get = async (cluster: string, record: string) => {
    const Key = { cluster: { S: cluster }, record: { S: record } }
    return (await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  const told = ({ cluster, hash }: NoticeKey) => ({ cluster: { S: cluster }, record: { S: `told#${hash}` } })
  return {
    lastReport: async (cluster) => unpacked(await get(cluster, 'assessment')),
    putReport: (cluster, report) =>
      put({
        Item: {
          cluster: { S: cluster },
          record: { S: 'assessment' },
          observedAt: { S: report.observedAt },
          verdict: { S: report.verdict },
          expiresAt: { N: String(seconds(report.observedAt) + keptFor.report) },
          ...packed(report),
        },
        ConditionExpression: 'attribute_not_exists(#record) OR observedAt <= :at',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':at': { S: report.observedAt } },
      }),
    lastSwitch: async (key) => switchIn(await get(key, 'switch')),
    putSwitch: async (key, { state, action, since }) => {
      const stored = { state: { S: state }, action: { S: action }, since: { S: since } }
      await put({ Item: { cluster: { S: key }, record: { S: 'switch' }, ...stored } })
    },
    claim: async (notice, now) => {
      const open = await put({
        Item: {
          ...told(notice),
          claimedAt: { N: String(seconds(now)) },
          expiresAt: { N: String(seconds(now) + keptFor.notice) },
        },
        // The table forgets late: what has expired counts as forgotten already.
        ConditionExpression:
          'attribute_not_exists(#record) OR expiresAt < :now OR (attribute_not_exists(toldAt) AND claimedAt <= :stale)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: {
          ':now': { N: String(seconds(now)) },
          ':stale': { N: String(seconds(now) - claimSeconds) },
        },
      })
      if (open) return 'claimed'
      return (await get(notice.cluster, `told#${notice.hash}`))?.['toldAt'] ? 'told' : 'busy'
    },
    keepNotice: async ({ cluster, hash }, content, now) => {
      const expiresAt = { N: String(seconds(now) + keptFor.notice) }
      const Item = { cluster: { S: cluster }, record: { S: `notice#${hash}` }, content: { S: JSON.stringify(content) } }
      const ExpressionAttributeNames = { '#record': 'record' }
      await put({
        Item: { ...Item, expiresAt },
        ConditionExpression: 'attribute_not_exists(#record)',
        ExpressionAttributeNames,
      })
    },
    keptNotice: async ({ cluster, hash }) => {
      const content = (await get(cluster, `notice#${hash}`))?.['content']?.S
      // Written by `keepNotice` alone.
      return content === undefined ? undefined : (JSON.parse(content) as OutgoingNotice)
    },
    release: async (notice, now) => {
      await put({
        Item: { ...told(notice), claimedAt: { N: '0' }, expiresAt: { N: String(seconds(now) + keptFor.notice) } },
        ConditionExpression: 'attribute_not_exists(toldAt)',
      })
    },
    confirm: async (notice, now) => {
      const expiresAt = { N: String(seconds(now) + keptFor.notice) }
      await put({ Item: { ...told(notice), toldAt: { S: now }, expiresAt } })
    },
    keepWrites: async (cluster, writes, now) => {
      const before = (await get(cluster, 'writes'))?.['known']?.SS ?? []
      const oldest = seconds(now) - keptFor.write
      // What cannot be dated somebody mangled; what is older was forgotten on purpose.
      const known = idsOf(writes.filter(({ at }) => seconds(at) > oldest))
      const fresh = [...known].filter(([id]) => !before.includes(id))
      if (fresh.length === 0) return 0
      for (let from = 0; from < fresh.length; from += batch)
        await Promise.all(
          fresh.slice(from, from + batch).map(([id, write]) => {
            const expiresAt = { N: String(seconds(write.at) + keptFor.write) }
            return put({ Item: { cluster: { S: cluster }, ...writeItem(id, write), expiresAt } })
          }),
        )
      const expiresAt = { N: String(seconds(now) + keptFor.write) }
      await put({
        Item: { cluster: { S: cluster }, record: { S: 'writes' }, known: { SS: [...known.keys()] }, expiresAt },
      })
      return fresh.length
    },
  }
}

function switchIn(item: GetItemCommandOutput['Item']): StoredSwitch | undefined {
  const { state, action, since } = item ?? {}
  if (state?.S === undefined || since?.S === undefined) return undefined
  return { state: state.S, since: since.S, action: action?.S === 'off' || action?.S === 'sync' ? action.S : 'report' }
}

async function wasAccepted(write: () => Promise<unknown>): Promise<boolean> {
  try {
    await write()
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}
