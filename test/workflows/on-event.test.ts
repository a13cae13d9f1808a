import { describe, expect, test } from '@jest/globals'
import type { Log } from '../../shared/log.ts'
import type { Evaluation } from '../../shared/messages.ts'
import { onEvent, type OnEventTools } from '../../shared/workflows/fleet/on-event.ts'

const fleet = { own: '111122223333', regions: ['eu-west-1'], accounts: [{ account: '111122223333' }] }

const desk = (ask: OnEventTools['looks']['ask'] = async () => ({ delaySeconds: 0 })) => {
  const sent: (Evaluation & { delaySeconds?: number })[] = []
  const logged: string[] = []
  const ignored: unknown[] = []
  const warned: object[] = []
  const log: Log = (event, facts, level) => {
    logged.push(event)
    if (event === 'event ignored') ignored.push({ ...facts })
    if (level === 'warn') warned.push({ event, ...facts })
  }
  const tools: OnEventTools = {
    queues: { sendEvaluation: async (message, options) => void sent.push({ ...message, ...options }) },
    looks: { ask },
    fleet,
    now: () => new Date('2026-11-29T10:00:00Z'),
    log,
  }
  return { sent, logged, ignored, warned, tools }
}

describe('an event', () => {
  const event = (name: string, account = '111122223333') => ({
    account,
    region: 'eu-west-1',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: { eventSource: 'eks.amazonaws.com', eventName: 'UpdateAddon', requestParameters: { name } },
  })
  const cluster = { account: '111122223333', region: 'eu-west-1', name: 'prod-1' }

  test('that touches a cluster becomes one question about it, with when it was heard and by whom', async () => {
    const { sent, tools } = desk(async () => ({ delaySeconds: 40 }))
    await onEvent(tools, event('prod-1'), 'r')
    const heard = { at: '2026-11-29T10:00:00.000Z', by: 'r' }
    expect(sent).toEqual([
      { schemaVersion: 1, cluster, reason: 'event', cause: 'UpdateAddon', heard, delaySeconds: 40 },
    ])
  })

  test('of a cluster for which a look is pending asks for none', async () => {
    const { sent, logged, tools } = desk(async () => undefined)
    await onEvent(tools, event('prod-1'), 'r')
    expect(sent).toEqual([])
    expect(logged).toEqual(['a look is pending'])
  })

  test('asks for a look where nobody can say whether one is pending', async () => {
    const { sent, warned, tools } = desk(() => Promise.reject(new Error('throttled')))
    await onEvent(tools, event('prod-1'), 'r')
    expect(sent).toMatchObject([{ cluster, delaySeconds: 0 }])
    expect(warned).toHaveLength(1)
  })

  test.each([
    ['account', '999999999999', 'eu-west-1', 'account 999999999999 is not in the fleet'],
    ['region', '111122223333', 'ap-south-1', 'region ap-south-1 is not in the fleet'],
  ])('of another %s than the fleet is dropped with a warning', async (_, account, region, why) => {
    const { sent, warned, tools } = desk()
    await onEvent(tools, { ...event('prod-1', account), region }, 'r')
    expect(sent).toEqual([])
    expect(warned).toEqual([
      { event: 'not in the fleet', cluster: `${account}/${region}/prod-1`, why, cause: 'UpdateAddon' },
    ])
  })

  test.each([
    ['nothing understandable', { hello: 1 }],
    ['an account that cannot be', event('prod-1', 'me')],
  ])('with %s is logged, counted and acknowledged', async (_, it) => {
    const { sent, logged, ignored, tools } = desk()
    await onEvent(tools, it, 'r')
    expect(sent).toEqual([])
    expect(logged).toEqual(['event ignored'])
    expect(ignored).toMatchObject([{ EventsIgnored: 1 }])
  })
})
