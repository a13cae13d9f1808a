import {
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandOutput,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { Switch } from '../../domain/policy/policy.ts'
import type { Report } from '../../domain/report.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import type { Entry } from '../../domain/rollout/journal.ts'
import { type Incident, incidentIn, incidentItem } from './incidents.ts'
import { type BeginningLook, lookBeginner } from './looks-item.ts'
import { packed, unpacked } from './records-body.ts'
import { latestMark } from '../../messages.ts'
import { verdictKeeper } from './records-verdicts.ts'
import { accepted, idsOf, writeKeeper, writeKey, writeKeptSeconds } from './records-writes.ts'
import { clockSkew } from '../../domain/rollout/annotations.ts'

/** What is remembered between looks: the last assessment per cluster, and what people were told. Keys: `clusterKey`. */
export interface Records {
  lastReport: (cluster: string) => Promise<Report | undefined>
  /** The cluster is no more: nothing is known of it any more, but when that was. A report that was looked at earlier is not stored after it. */
  endReport: (cluster: string, at: string) => Promise<void>
  /** Puts the verdict on record for a year. `false` where a later look (by `observedAt`) is the stored report already. */
  putReport: (cluster: string, report: Report) => Promise<boolean>
  /** Puts the verdict on record for a year, and nothing else: of a look that is not told. */
  keepVerdict: (cluster: string, report: Report) => Promise<void>
  /** What people know of the switches. `key`: a cluster, or the whole deployment (`deploymentKey`). */
  lastSwitch: (key: string) => Promise<StoredSwitch | undefined>
  putSwitch: (key: string, stored: StoredSwitch) => Promise<void>
  /**
   * The first to claim a notice sends it. `claimed`: tell now, then `confirm` · `told`: people know · `busy`: somebody else
   * claimed it in the last five minutes; look again later.
   */
  claim: (notice: NoticeKey, now: string) => Promise<'claimed' | 'told' | 'busy'>
  confirm: (notice: NoticeKey, now: string) => Promise<void>
  /** Gives a claim back: the notice could not be sent, and may be tried again at once. */
  release: (notice: NoticeKey, now: string) => Promise<void>
  /**
   * Before a look that is a repetition; `true`: an earlier one of this message began and did not end, its function was
   * killed.
   */
  lookBegins: (cluster: string, messageId: string, now: string) => Promise<boolean>
  lookEnded: (cluster: string, now: string) => Promise<void>
  /** Before a look of a sweep. `false`: another message of that sweep, or a later one, has begun it. */
  beginSweepLook: (cluster: string, look: { messageId: string; sweep: string; at: string }) => Promise<boolean>
  /** Before a look that an event asked for. `false`: it need not be, another one that began later has seen what happened. */
  beginLook: (cluster: string, look: BeginningLook) => Promise<boolean>
  /** Puts a notice on record before it is sent; the first one of a key stays. */
  keepNotice: (notice: NoticeKey, content: OutgoingNotice, now: string) => Promise<void>
  keptNotice: (notice: NoticeKey) => Promise<OutgoingNotice | undefined>
  /** The trouble of the cluster that was told last, whether or not it is over. */
  incident: (cluster: string) => Promise<Incident | undefined>
  putIncident: (cluster: string, incident: Incident, now: string) => Promise<void>
  /**
   * Puts on record what the cluster alone says of writes (those of a terminal, and of a function that died before it could
   * record them), and says how many. Anybody may have written it: it is marked as claimed, and no more than 100 a look and
   * 1,000 a day are kept for a cluster. Cut short anywhere it is done again, and nothing is there twice.
   */
  keepClaims: (cluster: string, writes: Entry[], now: string) => Promise<number>
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
const keptFor = { report: 90 * days, notice: 30 * days, write: writeKeptSeconds }
/** Writes that are put at one time. */
const batch = 25
/** Of each cluster; what has no room is not kept. */
const claimsAtMost = { look: 100, day: 1_000 }
/** A claim that was never confirmed (the function died in between) is open again. */
const claimSeconds = 300

export function records(dynamo: DynamoDBClient, table: string): Records {
  const put = (item: Omit<PutItemCommandInput, 'TableName'>) =>
    accepted(() => dynamo.send(new PutItemCommand({ TableName: table, ...item })))
  const get = async (cluster: string, record: string) => {
    const Key = { cluster: { S: cluster }, record: { S: record } }
    return (await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  const keep = writeKeeper(dynamo, table)
  const keepVerdict = verdictKeeper(dynamo, table)
  const told = ({ cluster, hash }: NoticeKey) => ({ cluster: { S: cluster }, record: { S: `told#${hash}` } })
  return {
    lastReport: async (cluster) => unpacked(await get(cluster, 'assessment')),
    keepVerdict,
    putReport: async (cluster, report) => {
      // Before the report that the next look is compared with: cut short in between, the look is repeated.
      await keepVerdict(cluster, report)
      return put({
        Item: {
          cluster: { S: cluster },
          record: { S: 'assessment' },
          observedAt: { S: report.observedAt },
          verdict: { S: report.verdict },
          latest: { S: latestMark },
          expiresAt: { N: String(seconds(report.observedAt) + keptFor.report) },
          ...packed(report),
        },
        ConditionExpression: 'attribute_not_exists(#record) OR observedAt <= :at',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':at': { S: report.observedAt } },
      })
    },
    endReport: async (cluster, at) => {
      const ended = { observedAt: { S: at }, endedAt: { S: at } }
      const expiresAt = { N: String(seconds(at) + keptFor.report) }
      await put({
        Item: { cluster: { S: cluster }, record: { S: 'assessment' }, ...ended, expiresAt },
        ConditionExpression: 'attribute_not_exists(#record) OR observedAt <= :at',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':at': { S: at } },
      })
    },
    lastSwitch: async (key) => switchIn(await get(key, 'switch')),
    putSwitch: async (key, { state, action, since }) => {
      const stored = { state: { S: state }, action: { S: action }, since: { S: since } }
      await put({ Item: { cluster: { S: key }, record: { S: 'switch' }, ...stored } })
    },
    lookBegins: async (cluster, messageId, now) => {
      const begun = (await get(cluster, 'look'))?.['message']?.S === messageId
      await put({ Item: lookOf(cluster, messageId, now) })
      return begun
    },
    beginLook: lookBeginner(dynamo, table),
    beginSweepLook: (cluster, { messageId, sweep, at }) =>
      put({
        Item: {
          cluster: { S: cluster },
          record: { S: 'sweep' },
          sweep: { S: sweep },
          message: { S: messageId },
          expiresAt: { N: String(seconds(at) + keptFor.notice) },
        },
        ConditionExpression:
          'attribute_not_exists(#record) OR sweep < :sweep OR (sweep = :sweep AND #message = :message)',
        ExpressionAttributeNames: { '#record': 'record', '#message': 'message' },
        ExpressionAttributeValues: { ':sweep': { S: sweep }, ':message': { S: messageId } },
      }),
    lookEnded: async (cluster, now) => void (await put({ Item: lookOf(cluster, '-', now) })),
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
    incident: async (cluster) => incidentIn(await get(cluster, 'incident')),
    putIncident: async (cluster, incident, now) => {
      const expiresAt = { N: String(seconds(now) + keptFor.write) }
      await put({ Item: { ...incidentItem(cluster, incident), expiresAt } })
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
    keepClaims: async (cluster, writes, now) => {
      const item = (await get(cluster, 'writes')) ?? {}
      const before = item['known']?.SS ?? []
      // What is older was forgotten on purpose; what is yet to come was not written by us.
      const isDated = ({ at }: Entry) =>
        seconds(at) > seconds(now) - keptFor.write && seconds(at) <= seconds(now) + clockSkew / 1_000
      const known = idsOf(writes.filter(isDated))
      const day = now.slice(0, 10)
      const today = item['day']?.S === day ? Number(item['claims']?.N ?? 0) : 0
      const room = Math.min(claimsAtMost.look, claimsAtMost.day - today)
      const fresh = [...known].filter(([id]) => !before.includes(id)).slice(0, Math.max(0, room))
      if (fresh.length === 0) return 0
      let claims = 0
      for (let from = 0; from < fresh.length; from += batch) {
        const kept = fresh.slice(from, from + batch).map(async ([id, write]) => {
          const isActed = (await get(cluster, writeKey('write', id, write))) !== undefined
          return !isActed && (await keep(cluster, { kind: 'claim', id, write }))
        })
        claims += (await Promise.all(kept)).filter(Boolean).length
      }
      const seen = new Set([...before, ...fresh.map(([id]) => id)])
      const SS = [...known.keys()].filter((id) => seen.has(id))
      const about = { known: { SS }, day: { S: day }, claims: { N: String(today + claims) } }
      const expiresAt = { N: String(seconds(now) + keptFor.write) }
      await put({ Item: { cluster: { S: cluster }, record: { S: 'writes' }, ...about, expiresAt } })
      return claims
    },
  }
}

const lookOf = (cluster: string, messageId: string, now: string) => ({
  cluster: { S: cluster },
  record: { S: 'look' },
  message: { S: messageId },
  expiresAt: { N: String(seconds(now) + keptFor.notice) },
})

function switchIn(item: GetItemCommandOutput['Item']): StoredSwitch | undefined {
  const { state, action, since } = item ?? {}
  if (state?.S === undefined || since?.S === undefined) return undefined
  return { state: state.S, since: since.S, action: action?.S === 'off' || action?.S === 'sync' ? action.S : 'report' }
}
