import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import type { HeldNotice, ReportedCauses } from '../../domain/notice/gather.ts'
import type { NoticeKey } from './records.ts'
import { accepted } from './records-writes.ts'

/** Notices that wait for others, and the batch that is being sent. All are under one key of the records' table. */
export interface HeldNotices {
  /** Whether it was already sent, separately or in a digest. */
  isTold: (notice: NoticeKey) => Promise<boolean>
  /** A notice that already waits keeps its start time. */
  hold: (held: HeldNotice) => Promise<void>
  all: () => Promise<HeldNotice[]>
  remove: (notice: NoticeKey) => Promise<void>
  batch: () => Promise<Batch | undefined>
  /** `false`: another batch is open. */
  open: (batch: Batch) => Promise<boolean>
  close: () => Promise<void>
  told: () => Promise<ReportedCauses>
  putTold: (told: ReportedCauses) => Promise<void>
}

/** The batch that is being sent: decided once, and completed even after interruptions. */
export interface Batch {
  /** The message that decided it. */
  by: string
  /** RFC 3339 */
  at: string
  members: NoticeKey[]
  /** The digest that is sent instead of them. Absent: each is sent separately. */
  digest?: NoticeKey
  /** They are not sent: members say more of the same. */
  superseded?: NoticeKey[]
  /** With a digest: the causes that digests have reported, including this one. */
  told: ReportedCauses
}

const place = 'notices'
const keptSeconds = 30 * 86_400

export function heldNotices(dynamo: DynamoDBClient, table: string): HeldNotices {
  const keyOf = (record: string, cluster = place) => ({ cluster: { S: cluster }, record: { S: record } })
  const get = async (record: string, cluster?: string) => {
    const command = new GetItemCommand({ TableName: table, Key: keyOf(record, cluster), ConsistentRead: true })
    return (await dynamo.send(command)).Item
  }
  const put = (record: string, content: unknown, { at, once }: { at: string; once?: string }): Promise<boolean> => {
    const expiresAt = { N: String(Math.floor(Date.parse(at) / 1_000) + keptSeconds) }
    const command = new PutItemCommand({
      TableName: table,
      Item: { ...keyOf(record), content: { S: JSON.stringify(content) }, expiresAt },
      ...(once && { ConditionExpression: once, ExpressionAttributeNames: { '#record': 'record' } }),
    })
    return accepted(() => dynamo.send(command))
  }
  const remove = async (record: string) =>
    void (await dynamo.send(new DeleteItemCommand({ TableName: table, Key: keyOf(record) })))
  const ifNone = 'attribute_not_exists(#record)'
  return {
    isTold: async ({ cluster, hash }) => (await get(`told#${hash}`, cluster))?.['toldAt'] !== undefined,
    hold: async (held) => void (await put(`held#${held.hash}`, held, { at: held.at, once: ifNone })),
    all: async () => {
      const held: HeldNotice[] = []
      let from: Record<string, AttributeValue> | undefined
      do {
        const { Items = [], LastEvaluatedKey } = await dynamo.send(
          new QueryCommand({
            TableName: table,
            KeyConditionExpression: '#cluster = :place AND begins_with(#record, :held)',
            ExpressionAttributeNames: { '#cluster': 'cluster', '#record': 'record' },
            ExpressionAttributeValues: { ':place': { S: place }, ':held': { S: 'held#' } },
            ConsistentRead: true,
            ...(from && { ExclusiveStartKey: from }),
          }),
        )
        held.push(...Items.map((item) => contentOf(item) as HeldNotice))
        from = LastEvaluatedKey
      } while (from)
      return held
    },
    remove: ({ hash }) => remove(`held#${hash}`),
    batch: async () => contentOf(await get('batch')) as Batch | undefined,
    open: (batch) => put('batch', batch, { at: batch.at, once: ifNone }),
    close: () => remove('batch'),
    told: async () => (contentOf(await get('digest')) as ReportedCauses | undefined) ?? {},
    putTold: async (told) => {
      const latest = Object.values(told).toSorted().at(-1)
      if (latest) await put('digest', told, { at: latest })
    },
  }
}

/** Written by `put` alone. */
const contentOf = (item: Record<string, AttributeValue> | undefined): unknown => {
  const text = item?.['content']?.S
  return text === undefined ? undefined : JSON.parse(text)
}
