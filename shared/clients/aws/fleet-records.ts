import { type AttributeValue, type DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import type { Report, Verdict } from '../../domain/report.ts'
import { latestIndex, latestMark } from '../../messages.ts'
import { unpacked } from './records-body.ts'

/** The last reports of all clusters, whoever stored them. */
export interface FleetRecords {
  /** The index entry of each, without reading the reports. `prefix`: `account/region/`, else all. */
  latest: (prefix?: string) => Promise<Latest[]>
  /** `undefined`: it was deleted meanwhile. */
  report: (cluster: string) => Promise<Report | undefined>
}

export interface Latest {
  /** `account/region/name` */
  cluster: string
  verdict: Verdict
  /** RFC 3339 */
  observedAt: string
}

const verdicts: readonly unknown[] = [
  'in-step',
  'out-of-step',
  'changing',
  'not-applicable',
  'unknown',
] satisfies Verdict[]

/** Far more than any fleet has; limits the number of pages. */
const clustersAtMost = 20_000

export const fleetRecords = (dynamo: DynamoDBClient, TableName: string): FleetRecords => ({
  latest: async (prefix = '') => {
    const found: Latest[] = []
    let ExclusiveStartKey: Record<string, AttributeValue> | undefined
    do {
      const { Items = [], LastEvaluatedKey } = await dynamo.send(
        new QueryCommand({
          TableName,
          IndexName: latestIndex,
          KeyConditionExpression: `#latest = :latest${prefix && ' AND begins_with(#cluster, :prefix)'}`,
          ExpressionAttributeNames: { '#latest': 'latest', ...(prefix && { '#cluster': 'cluster' }) },
          ExpressionAttributeValues: { ':latest': { S: latestMark }, ...(prefix && { ':prefix': { S: prefix } }) },
          ...(ExclusiveStartKey && { ExclusiveStartKey }),
        }),
      )
      found.push(...Items.flatMap((item) => latestOf(item) ?? []))
      if (found.length > clustersAtMost)
        throw new Error(`There are more than ${clustersAtMost} clusters in the records.`)
      ExclusiveStartKey = LastEvaluatedKey
    } while (ExclusiveStartKey)
    return found
  },
  report: async (cluster) => {
    const Key = { cluster: { S: cluster }, record: { S: 'assessment' } }
    const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key }))
    return unpacked(Item)
  },
})

const latestOf = ({ cluster, verdict, observedAt }: Record<string, AttributeValue>): Latest | undefined =>
  cluster?.S !== undefined && observedAt?.S !== undefined && verdicts.includes(verdict?.S)
    ? { cluster: cluster.S, verdict: verdict?.S as Verdict, observedAt: observedAt.S }
    : undefined
