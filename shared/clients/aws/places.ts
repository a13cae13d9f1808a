import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import { type Place, placeKey, type PlaceRow } from '../../domain/places.ts'
import { accepted } from './records-writes.ts'

/** The records of the accounts and regions of the fleet, all under one key. */
export interface PlaceRecords {
  get: (place: Place) => Promise<PlaceRow | undefined>
  /**
   * Writes only if the row still has the sweep `after` with which it was read. `false`: another message finished the
   * place first.
   */
  put: (row: PlaceRow, about: { after: string }) => Promise<boolean>
  all: () => Promise<PlaceRow[]>
  /** The number of clusters at the end of the last sweep. */
  total: () => Promise<FleetTotal | undefined>
  putTotal: (total: FleetTotal) => Promise<void>
}

export interface FleetTotal {
  sweep: string
  clusters: number
}

const partition = 'places'
const totalKey = 'fleet'
const keyOf = (record: string) => ({ cluster: { S: partition }, record: { S: record } })
/** Expires like reports; a place that left the fleet is removed. */
const keptSeconds = 90 * 86_400

/** All places, for a function that may only read. */
export const placeRows = async (dynamo: DynamoDBClient, TableName: string): Promise<PlaceRow[]> => {
  const rows: PlaceRow[] = []
  let ExclusiveStartKey: Record<string, AttributeValue> | undefined
  do {
    const page = await dynamo.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#cluster = :places',
        ExpressionAttributeNames: { '#cluster': 'cluster' },
        ExpressionAttributeValues: { ':places': { S: partition } },
        ConsistentRead: true,
        ExclusiveStartKey,
      }),
    )
    const items = (page.Items ?? []).filter(({ record }) => record?.S !== totalKey)
    rows.push(...items.flatMap((item) => rowIn(item) ?? []))
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey)
  return rows
}

export function placeRecords(dynamo: DynamoDBClient, TableName: string, now: () => number = Date.now): PlaceRecords {
  const get = async (record: string) =>
    (await dynamo.send(new GetItemCommand({ TableName, Key: keyOf(record), ConsistentRead: true }))).Item
  const put = async (
    record: string,
    { sweep, ...more }: { sweep: string; [name: string]: unknown },
    { holds, after, verdict }: { holds: string; after: string; verdict?: string | undefined },
  ) => {
    const expiresAt = { N: String(Math.floor(now() / 1000) + keptSeconds) }
    const body = {
      content: { S: JSON.stringify(more) },
      sweep: { S: sweep },
      ...(verdict && { verdict: { S: verdict } }),
    }
    const command = new PutItemCommand({
      TableName,
      Item: { ...keyOf(record), ...body, expiresAt },
      ConditionExpression: `attribute_not_exists(#record) OR sweep ${holds} :after`,
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':after': { S: after } },
    })
    return accepted(() => dynamo.send(command))
  }
  return {
    get: async (place) => rowIn(await get(placeKey(place))),
    put: (row, { after }) => put(placeKey(row), { ...row }, { holds: '=', after, verdict: row.unlisted && 'unknown' }),
    all: () => placeRows(dynamo, TableName),
    total: async () => contentOf(await get(totalKey)) as FleetTotal | undefined,
    putTotal: async (total) => void (await put(totalKey, { ...total }, { holds: '<=', after: total.sweep })),
  }
}

const rowIn = (item: Record<string, AttributeValue> | undefined) => contentOf(item) as PlaceRow | undefined

/** Written by `put` alone. */
const contentOf = (item: Record<string, AttributeValue> | undefined): object | undefined => {
  const text = item?.['content']?.S
  return text === undefined ? undefined : { ...(JSON.parse(text) as object), sweep: item?.['sweep']?.S ?? '' }
}
