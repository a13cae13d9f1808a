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
  type Permit,
  take,
} from '../../domain/policy/fleet-budget.ts'

/** How many clusters may be changed at one time, over all functions and for all that die in between. */
export interface FleetPermits {
  /** `undefined`: the budget is spent; the next cluster that ends wakes those that wait. Renews a permit that is held already. */
  take: (cluster: string, incarnation?: string) => Promise<Permit | undefined>
  /**
   * Gives back what the cluster may hold, or only that one of its name. Answers the clusters that are to be looked at
   * now: their turn may have come.
   */
  leave: (cluster: string, incarnation?: string) => Promise<string[]>
}

const key = { cluster: { S: 'fleet' }, record: { S: 'budget' } }
/** Each lost race means that another writer won it. Only a fleet that begins all at once can lose so many in a row. */
const attempts = 20

export function fleetPermits(
  dynamo: DynamoDBClient,
  table: string,
  { limit, now = () => Date.now() }: { limit: number; now?: () => number },
): FleetPermits {
  const decide = async <T extends { store?: FleetBudget }>(
    of: Pick<Asking, 'cluster' | 'incarnation'>,
    decision: (budget: FleetBudget, asking: Asking) => T,
  ): Promise<T> => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const budget = await load(dynamo, table)
      const decided = decision(budget, { ...of, limit, now: now() })
      if (!decided.store || (await store(dynamo, table, { before: budget.version, budget: decided.store })))
        return decided
    }
    throw new Error('Too many clusters ask for the fleet budget at one moment; this message is tried again.')
  }
  return {
    take: async (cluster, incarnation) => (await decide(asking(cluster, incarnation), take)).permit,
    leave: async (cluster, incarnation) => (await decide(asking(cluster, incarnation), leave)).wake,
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

/** `false`: somebody else changed it since it was read. */
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
