import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createKeyring } from '../../lab/aws/keyring.ts'
import { startTables, type Tables } from '../../lab/aws/tables.ts'
import { fleetPermits } from '../../shared/clients/aws/fleet-budget.ts'
import { permitSeconds } from '../../shared/domain/policy/fleet-budget.ts'
import { recordsTable } from '../records-table.ts'

const keyring = createKeyring()
const credentials = keyring.forUser('arn:aws:iam::111122223333:user/us')
let tables: Tables
let dynamo: DynamoDBClient
beforeAll(async () => {
  tables = await startTables(keyring)
  dynamo = new DynamoDBClient({ endpoint: tables.url, region: 'eu-west-1', credentials })
})
afterAll(() => {
  dynamo.destroy()
  return tables.stop()
})

const table = (name: string): Promise<string> => recordsTable(dynamo, name)

describe('the fleet budget in the table', () => {
  test('many functions that ask at one moment get as many permits as there are, and no cluster is forgotten', async () => {
    const budget = fleetPermits(dynamo, await table('race'), { limit: 2 })
    const clusters = ['a', 'b', 'c', 'd', 'e', 'f']
    const got = await Promise.all(clusters.map(async (cluster) => ({ cluster, permit: await budget.take(cluster) })))
    const holders = got.filter(({ permit }) => permit)
    expect(holders).toHaveLength(2)
    const woken: string[] = []
    for (const next = holders.map(({ cluster }) => cluster); next.length > 0; ) {
      const wake = await budget.leave(next.shift() ?? '')
      for (const cluster of wake) expect(await budget.take(cluster)).toBeDefined()
      woken.push(...wake)
      next.push(...wake)
    }
    expect([...holders.map(({ cluster }) => cluster), ...woken].toSorted()).toEqual(clusters)
  })

  test('a cluster that could not be woken is the next again, unless it has a permit by now', async () => {
    const budget = fleetPermits(dynamo, await table('unwoken'), { limit: 1 })
    for (const cluster of ['a', 'b', 'c']) await budget.take(cluster)
    expect(await budget.leave('a')).toEqual(['b'])
    await budget.putBack(['b'])
    expect(await budget.leave('a')).toEqual(['b'])
    expect(await budget.take('b')).toBeDefined()
    await budget.putBack(['b'])
    expect(await budget.leave('b')).toEqual(['c'])
  })

  test('a holder that died loses it by time, and gets another token when it comes back', async () => {
    const clock = { now: Date.parse('2026-11-23T12:00:00Z') }
    const budget = fleetPermits(dynamo, await table('death'), { limit: 1, now: () => clock.now })
    const first = await budget.take('a')
    expect(await budget.take('b')).toBeUndefined()
    clock.now += permitSeconds * 1000
    expect(await budget.take('b')).toBeDefined()
    expect(await budget.take('a')).toBeUndefined()
    expect(await budget.leave('b')).toEqual(['a'])
    expect((await budget.take('a'))?.token).toBeGreaterThan(first?.token ?? Infinity)
  })
})
