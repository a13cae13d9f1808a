import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import {
  type Asking,
  emptyBudget,
  type FleetBudget,
  leave,
  type Leaving,
  type Permit,
  putBack,
  take,
} from '../../domain/policy/fleet-budget.ts'

/** Limits how many clusters are changed at one time, over all functions, also if some of them die. */
export interface FleetPermits {
  /**
   * `undefined`: the budget is used up; when a rollout ends, waiting clusters are evaluated. Renews an existing
   * permit.
   */
  take: (cluster: string, incarnation?: string) => Promise<Permit | undefined>
  /**
   * Releases the cluster's permit; with a creation time, only that of this cluster; with `idleSince`
   * (milliseconds), only one that was not asked for since; with `keepsPlace`, nothing if it waits. Returns the waiting
   * clusters that are to be evaluated now.
   */
  leave: (cluster: string, about?: Leaving & { incarnation?: string | undefined }) => Promise<string[]>
  /** For clusters that `leave` returned and that cannot be evaluated now. */
  putBack: (clusters: readonly string[]) => Promise<void>
}

const key = { cluster: { S: 'fleet' }, record: { S: 'budget' } }
/**
 * Each lost race means that another writer won it. Only a fleet that begins all rollouts at once can lose this many
 * in a row.
 */
const attempts = 20

export function fleetPermits(
  dynamo: DynamoDBClient,
  table: string,
  { limit, now = () => Date.now() }: { limit: number; now?: () => number },
): FleetPermits {
  const decide = async <T extends { store?: FleetBudget }>(
    decision: (budget: FleetBudget, asking: Pick<Asking, 'limit' | 'now'>) => T,
  ): Promise<T> => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const budget = await load(dynamo, table)
      const decided = decision(budget, { limit, now: now() })
      if (!decided.store || (await store(dynamo, table, { before: budget.version, budget: decided.store })))
        return decided
    }
    throw new Error('Too many clusters request the fleet budget at one time; this message is retried.')
  }
  return {
    take: async (cluster, incarnation) =>
      (await decide((budget, it) => take(budget, { ...it, ...asking(cluster, incarnation) }))).permit,
    leave: async (cluster, { incarnation, ...about } = {}) =>
      (await decide((budget, it) => leave(budget, { ...it, ...asking(cluster, incarnation), ...about }))).wake,
    putBack: async (clusters) => void (await decide((budget, it) => putBack(budget, clusters, it.now))),
  }
}

const asking = (cluster: string, incarnation?: string) => ({ cluster, ...(incarnation && { incarnation }) })

async function load(dynamo: DynamoDBClient, TableName: string): Promise<FleetBudget> {
  const { Item } = await dynamo.send(new GetItemCommand({ TableName, Key: key, ConsistentRead: true }))
  if (!Item) return emptyBudget
  // Written by `store` alone.
  const body: Omit<FleetBudget, 'version'> = JSON.parse(Item['budget']?.S ?? '{"holders":[],"waiting":[]}')
  return { ...body, version: Number(Item['version']?.N ?? 0) }
}

/** `false`: it was changed since it was read. */
async function store(
  dynamo: DynamoDBClient,
  TableName: string,
  { before, budget: { version, ...body } }: { before: number; budget: FleetBudget },
): Promise<boolean> {
  const put = new PutItemCommand({
    TableName,
    Item: { ...key, version: { N: String(version) }, budget: { S: JSON.stringify(body) } },
    ConditionExpression: 'attribute_not_exists(#record) OR #version = :before',
    ExpressionAttributeNames: { '#record': 'record', '#version': 'version' },
    ExpressionAttributeValues: { ':before': { N: String(before) } },
  })
  try {
    await dynamo.send(put)
    return true
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false
    throw error
  }
}
