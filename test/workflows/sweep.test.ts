import { describe, expect, test } from '@jest/globals'
import type { Log } from '../../shared/log.ts'
import type { Evaluation } from '../../shared/messages.ts'
import { sweep } from '../../shared/workflows/fleet/sweep.ts'

const desk = () => {
  const sent: Evaluation[] = []
  const logged: string[] = []
  const warned: object[] = []
  const queues = {
    sendEvaluation: async (message: Evaluation) => void sent.push(message),
    sendEvaluations: async (messages: readonly Evaluation[]) => void sent.push(...messages),
    sendRolloutStep: async () => undefined,
    sendTelling: async () => undefined,
  }
  const log: Log = (event, facts, level) => {
    logged.push(event)
    if (level === 'warn') warned.push({ event, ...facts })
  }
  return { sent, logged, warned, queues, log }
}

const fleet = {
  own: '111122223333',
  regions: ['eu-west-1', 'us-east-1'],
  accounts: [
    { account: '111122223333' },
    { account: '444455556666', viewerRoleArn: 'arn:aws:iam::444455556666:role/r' },
  ],
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

  test('never lists another account with its own credentials', async () => {
    const { sent, queues, log } = desk()
    const accounts = [{ account: '111122223333' }, { account: '999999999999' }]
    const asked: object[] = []
    const list = async (place: object) => {
      asked.push(place)
      return ['prod-1']
    }
    await sweep({ queues, log, list }, { ...fleet, regions: ['eu-west-1'], accounts })
    expect(asked).toEqual([
      { account: '111122223333', region: 'eu-west-1' },
      {
        account: '999999999999',
        region: 'eu-west-1',
        roleArn: 'arn:aws:iam::999999999999:role/calico-ipvs-sync-viewer',
        externalId: 'calico-ipvs-sync-111122223333',
      },
    ])
    expect(sent.map(({ cluster }) => cluster.account)).toEqual(['111122223333', '999999999999'])
  })
})
