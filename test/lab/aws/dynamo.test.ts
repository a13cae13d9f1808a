import { once } from 'node:events'
import { connect } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import { startDynamo } from '../../../lab/aws/dynamo.ts'
import { recordsTable } from '../../records-table.ts'

/** A fault here shows as an exception that no test caught: dynalite throws out of a callback. */
const clientOf = (endpoint: string) =>
  new DynamoDBClient({
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'A', secretAccessKey: 'B' },
    maxAttempts: 1,
  })
const Key = { cluster: { S: 'a' }, record: { S: 'b' } }

test('tables that stop in the middle of a request, at any turn of it, answer or end it', async () => {
  for (let turns = 0; turns < 60; turns += 1) {
    let arrived = (): void => undefined
    const { url, stop } = await startDynamo(() => {
      arrived()
      return true
    })
    const dynamo = clientOf(url)
    await recordsTable(dynamo)
    const here = new Promise<void>((resolve) => (arrived = resolve))
    const answer = dynamo.send(new GetItemCommand({ TableName: 'records', Key })).then(
      () => 'answered',
      () => 'ended',
    )
    await here
    for (let left = turns; left > 0; left -= 1) await turn()
    await stop()
    dynamo.destroy()
    expect(['answered', 'ended']).toContain(await answer)
  }
})

test('a caller that ends in the middle of its request takes nobody with it', async () => {
  const { url, stop } = await startDynamo()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf')
  await new Promise((resolve) => setTimeout(resolve, 50))
  socket.destroy()
  await once(socket, 'close')
  const dynamo = clientOf(url)
  await recordsTable(dynamo)
  expect(await dynamo.send(new GetItemCommand({ TableName: 'records', Key }))).not.toHaveProperty('Item')
  dynamo.destroy()
  await stop()
})
