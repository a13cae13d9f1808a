import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  type GetItemCommandOutput,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import type { SweepRate } from '../../domain/history/day.ts'
import type { Switch } from '../../domain/policy/policy.ts'
import type { Report } from '../../domain/report.ts'
import type { OutgoingNotice } from '../../domain/notice/outgoing.ts'
import type { JournalEntry } from '../../domain/rollout/journal.ts'
import { type Incident, incidentIn, incidentItem } from './incidents.ts'
import { type BeginningLook, lookBeginner } from './looks-item.ts'
import { packed, unpacked } from './records-body.ts'
import { latestMark } from '../../messages.ts'
import { verdictKeeper } from './records-verdicts.ts'
import { accepted, idsOf, writeKeeper, writeKey, writeKeptSeconds } from './records-writes.ts'
import { clockSkew } from '../../domain/rollout/annotations.ts'

/** The state between evaluations: the last report of each cluster, and its notices. Keys: `clusterKey`. */
export interface Records {
  lastReport: (cluster: string) => Promise<StoredReport | undefined>
  /**
   * The cluster was deleted: only the time of that is kept. A report of an earlier evaluation is not stored after it.
   */
  endReport: (cluster: string, at: string) => Promise<void>
  /**
   * Records the verdict for 400 days. `false` if the stored report is already from a later observation (`observedAt`).
   */
  putReport: (cluster: string, report: Report) => Promise<boolean>
  /** Before the first notice of a problem: of whoever dies then, this is known. `last`: the last report, which stays. */
  putBegun: (cluster: string, last: Report, news: string) => Promise<void>
  /** Records only the verdict, for 400 days: for an evaluation without notices. */
  keepVerdict: (cluster: string, report: Report) => Promise<void>
  /** The notified state of the switches. `key`: a cluster, or the whole deployment (`deploymentKey`). */
  lastSwitch: (key: string) => Promise<StoredSwitch | undefined>
  /** Not over a state that was read later, nor over the same one, of which it is known since when people know it. */
  putSwitch: (key: string, stored: StoredSwitch) => Promise<void>
  /**
   * Only the message that reserves a notice sends it. `reserved`: send it now, then call `confirm` · `told`: it was
   * sent before · `busy`: another message reserved it in the last five minutes; try again later.
   */
  reserve: (notice: NoticeKey, now: string) => Promise<'reserved' | 'told' | 'busy'>
  confirm: (notice: NoticeKey, now: string) => Promise<void>
  /** Gives a reservation up: the notice could not be sent, and may be retried at once. */
  release: (notice: NoticeKey, now: string) => Promise<void>
  /**
   * Before a repeated evaluation; `true`: an earlier one of this message began and did not end, because its function
   * was killed.
   */
  lookBegins: (cluster: string, messageId: string, now: string) => Promise<boolean>
  lookEnded: (cluster: string, now: string) => Promise<void>
  /** Before an evaluation of a sweep. `false`: another message of that sweep, or of a later one, has begun it. */
  beginSweepLook: (cluster: string, look: { messageId: string; sweep: string; at: string }) => Promise<boolean>
  /**
   * Before an evaluation for an event. `false`: it is not necessary, because one that began later includes the
   * change.
   */
  beginLook: (cluster: string, look: BeginningLook) => Promise<boolean>
  /** Records a notice before it is sent; the first one of a key is kept. */
  keepNotice: (notice: NoticeKey, content: OutgoingNotice, now: string) => Promise<void>
  keptNotice: (notice: NoticeKey) => Promise<OutgoingNotice | undefined>
  /** The last incident of the cluster, whether or not it is over. */
  incident: (cluster: string) => Promise<Incident | undefined>
  putIncident: (cluster: string, incident: Incident, now: string) => Promise<void>
  /**
   * Records writes that only the cluster has (from a terminal, or from a function that died before it could record
   * them), and returns their number. They may be forged: they are marked as claimed, and at most 100 for each
   * evaluation and 1,000 a day are kept for a cluster. After an interruption it is repeated without duplicates.
   */
  keepClaims: (cluster: string, writes: JournalEntry[], now: string) => Promise<number>
}

/** `begun`: what people may have been told after it. */
export type StoredReport = Report & { begun?: string }

/** `state`: the switches, as a text that changes only when they change. `since`: RFC 3339, when they were first read so. */
export interface StoredSwitch {
  state: string
  action: Switch['action']
  since: string
}

export interface NoticeKey {
  cluster: string
  /** The identity of a notice: derived from its content, never from the time. */
  hash: string
}

const seconds = (at: string): number => Math.floor(Date.parse(at) / 1_000)
const days = 86_400
/**
 * The table expires reports of deleted clusters, sent notices, and writes (TTL on `expiresAt`). Writes are evidence:
 * kept for a year, plus a month for the auditor's request.
 */
const keptFor = { report: 90 * days, notice: 30 * days, write: writeKeptSeconds }
/** The number of parallel writes. */
const batch = 25
/** The maximum for each cluster; more are not stored. */
const claimsAtMost = { look: 100, day: 1_000 }
/** A reservation that was not confirmed (the function died in between) expires after this time. */
const reservedSeconds = 300

/** `sweep`: the deployment's, for the function that records verdicts. */
export function records(dynamo: DynamoDBClient, table: string, sweep?: SweepRate): Records {
  const put = (item: Omit<PutItemCommandInput, 'TableName'>) =>
    accepted(() => dynamo.send(new PutItemCommand({ TableName: table, ...item })))
  const get = async (cluster: string, record: string) => {
    const Key = { cluster: { S: cluster }, record: { S: record } }
    return (await dynamo.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }))).Item
  }
  const keep = writeKeeper(dynamo, table)
  const keepVerdict = verdictKeeper(dynamo, table, sweep)
  const putLast = (cluster: string, report: Report, more: Record<string, AttributeValue> = {}) =>
    put({
      Item: {
        cluster: { S: cluster },
        record: { S: 'assessment' },
        observedAt: { S: report.observedAt },
        verdict: { S: report.verdict },
        latest: { S: latestMark },
        expiresAt: { N: String(seconds(report.observedAt) + keptFor.report) },
        ...packed(report),
        ...more,
      },
      ConditionExpression: 'attribute_not_exists(#record) OR observedAt <= :at',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':at': { S: report.observedAt } },
    })
  const told = ({ cluster, hash }: NoticeKey) => ({ cluster: { S: cluster }, record: { S: `told#${hash}` } })
  return {
    lastReport: async (cluster) => {
      const item = await get(cluster, 'assessment')
      const report = unpacked(item)
      const begun = item?.['begun']?.S
      return report && { ...report, ...(begun !== undefined && { begun }) }
    },
    keepVerdict,
    putReport: async (cluster, report) => {
      // Before the report, with which the next evaluation is compared: after an interruption in between, the evaluation
      // is repeated.
      await keepVerdict(cluster, report)
      return putLast(cluster, report)
    },
    putBegun: async (cluster, last, news) => void (await putLast(cluster, last, { begun: { S: news } })),
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
      await put({
        Item: { cluster: { S: key }, record: { S: 'switch' }, ...stored },
        ConditionExpression: 'attribute_not_exists(#record) OR (since <= :since AND #state <> :state)',
        ExpressionAttributeNames: { '#record': 'record', '#state': 'state' },
        ExpressionAttributeValues: { ':since': stored.since, ':state': stored.state },
      })
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
    reserve: async (notice, now) => {
      const open = await put({
        Item: {
          ...told(notice),
          claimedAt: { N: String(seconds(now)) },
          expiresAt: { N: String(seconds(now) + keptFor.notice) },
        },
        // DynamoDB deletes expired items late: so they are ignored here.
        ConditionExpression:
          'attribute_not_exists(#record) OR expiresAt < :now OR (attribute_not_exists(toldAt) AND claimedAt <= :stale)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: {
          ':now': { N: String(seconds(now)) },
          ':stale': { N: String(seconds(now) - reservedSeconds) },
        },
      })
      if (open) return 'reserved'
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
      // Older entries have expired; entries in the future are forged.
      const isDated = ({ at }: JournalEntry) =>
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
