import { describe, expect, test } from '@jest/globals'
import type { Evaluation } from '../../shared/messages.ts'
import { onEvent } from '../../shared/workflows/on-event.ts'
import { sweep } from '../../shared/workflows/sweep.ts'

const desk = () => {
  const sent: Evaluation[] = []
  const logged: string[] = []
  const queues = {
    sendEvaluation: async (message: Evaluation) => void sent.push(message),
    sendEvaluations: async (messages: readonly Evaluation[]) => void sent.push(...messages),
    sendRolloutStep: async () => undefined,
    sendTelling: async () => undefined,
  }
  return { sent, logged, queues, log: (event: string) => void logged.push(event) }
}

const fleet = {
  regions: ['eu-west-1', 'us-east-1'],
  accounts: [{ account: '111122223333' }, { account: '444455556666', roleArn: 'arn:aws:iam::444455556666:role/r' }],
}

describe('a sweep', () => {
  test('asks for a look at every cluster of every account and region', async () => {
    const { sent, queues, log } = desk()
    await sweep({ queues, log, list: async ({ account, region }) => [`${account.slice(0, 1)}-${region}`] }, fleet)
    expect(sent.map(({ cluster }) => cluster.name)).toEqual([
      '1-eu-west-1',
      '1-us-east-1',
      '4-eu-west-1',
      '4-us-east-1',
    ])
    expect(new Set(sent.map(({ reason }) => reason))).toEqual(new Set(['sweep']))
  })

  test('looks at what it can reach, and then fails naming what it could not', async () => {
    const { sent, queues, log } = desk()
    const list = async ({ account, region }: { account: string; region: string }) => {
      if (account.startsWith('4') && region === 'us-east-1') throw new Error('AccessDenied')
      return ['a']
    }
    await expect(sweep({ queues, log, list }, fleet)).rejects.toThrow('444455556666/us-east-1: Error: AccessDenied')
    expect(sent).toHaveLength(3)
  })
})

describe('an event', () => {
  const event = (name: string, account = '111122223333') => ({
    account,
    region: 'eu-west-1',
    'detail-type': 'AWS API Call via CloudTrail',
    detail: { eventSource: 'eks.amazonaws.com', eventName: 'UpdateAddon', requestParameters: { name } },
  })

  test('that touches a cluster becomes one question about it', async () => {
    const { sent, queues, log } = desk()
    await onEvent({ queues, log }, event('prod-1'))
    expect(sent).toEqual([
      {
        schemaVersion: 1,
        cluster: { account: '111122223333', region: 'eu-west-1', name: 'prod-1' },
        reason: 'event',
        cause: 'UpdateAddon',
      },
    ])
  })

  test.each([
    ['nothing understandable', { hello: 1 }],
    ['an account that cannot be', event('prod-1', 'me')],
  ])('with %s is logged and acknowledged', async (_, it) => {
    const { sent, logged, queues, log } = desk()
    await onEvent({ queues, log }, it)
    expect(sent).toEqual([])
    expect(logged).toEqual(['event ignored'])
  })
})
