import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { Moment } from '../../lab/aws/moment.ts'
import { place } from '../flow/guards-stage.ts'
import { type GatedStage, raiseGated, services } from './gated-stage.ts'

/**
 * An AWS that answers, each time late: no call is out of its own time, and all of them together are. The function ends before
 * Lambda ends it, says which service took the time, and its message comes again.
 */
const name = 'slow'
let it: GatedStage
const lines: string[] = []

beforeAll(async () => {
  it = await raiseGated(name, (moment: Moment): void => {
    if (moment.kind === 'log') lines.push(moment.line)
  })
  it.stage.deploy({ canarySeconds: 0, settleSeconds: 0 })
}, 120_000)
afterEach(async () => {
  for (const gate of Object.values(it.gates)) gate.set(undefined)
  await it.stage.cloud.idle()
  await it.forget()
}, 120_000)
afterAll(() => it?.stop())

const look = { schemaVersion: 1, cluster: { ...place, name }, reason: 'event', cause: 'a test' }
const looked = async (receives: number) => {
  const attributes = { ApproximateReceiveCount: String(receives) }
  const record = { messageId: 'm', receiptHandle: 'none', body: JSON.stringify(look), attributes }
  const began = performance.now()
  const { result } = await it.stage.cloud.invoke('Evaluate', { Records: [record] })
  return { result, seconds: (performance.now() - began) / 1_000 }
}
const again = { payload: JSON.stringify({ batchItemFailures: [{ itemIdentifier: 'm' }] }) }
const done = { payload: JSON.stringify({ batchItemFailures: [] }) }

test('evaluate, where each call of AWS is late: it ends before it is ended, says where the time went, and nothing is lost', async () => {
  const told = it.stage.cloud.deliveries.length
  for (const service of services) it.gates[service].set('late')
  lines.length = 0
  const { result, seconds } = await looked(1)
  process.stdout.write(`late: ${seconds.toFixed(1)} s\n`)
  expect(result).toEqual(again)
  expect(seconds).toBeLessThan(59)
  expect(lines.filter((line) => line.includes('message failed')).join('\n')).toMatch(
    /no time is left; DynamoDB took \d+ s of |DynamoDB: /,
  )
  for (const service of services) it.gates[service].set(undefined)
  expect((await looked(2)).result).toEqual(done)
  await it.stage.cloud.idle()
  const said = it.stage.cloud.deliveries.slice(told).map(({ subject: text }) => String(text))
  expect(said.filter((text) => text.includes('cannot tell'))).toEqual([])
  expect(said.filter((text) => text.includes('out of step'))).toHaveLength(1)
  expect(await it.stage.cloud.messages('EvaluationsDeadLetters')).toEqual([])
}, 240_000)
