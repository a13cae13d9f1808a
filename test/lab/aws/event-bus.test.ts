import { describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { createEventBus } from '../../../lab/aws/event-bus.ts'
import type { Targets } from '../../../lab/aws/targets.ts'
import { resolveTemplate } from '../../../lab/aws/template.ts'

const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: 'http://127.0.0.1:1' }
const work = { 'Fn::GetAtt': ['Work', 'Arn'] }
const rule = (Targets: object[], more: object = {}) => ({
  Type: 'AWS::Events::Rule',
  Properties: { EventPattern: { source: ['aws.eks'] }, Targets, ...more },
})
const queues = { Work: { Type: 'AWS::SQS::Queue' }, Lost: { Type: 'AWS::SQS::Queue' } }

/** A bus whose targets only keep what they got; those named `failing` fail. */
function start(rules: object, failing?: string) {
  const delivered: [string, unknown, string | undefined][] = []
  const buried: Record<string, string>[] = []
  const faults: string[] = []
  const targets: Targets = {
    deliver: async (arn, payload, groupId) => {
      if (failing !== undefined && arn.endsWith(failing)) throw new Error('no such target')
      delivered.push([arn.split(':').at(-1) ?? '', payload, groupId])
    },
    bury: async (_queue, _payload, attributes) => void buried.push(attributes),
    stop: () => undefined,
  }
  const stack = resolveTemplate(
    { template: { Resources: { ...queues, ...rules } }, folder: '/tmp', stackName: 'Test' },
    at,
  )
  const bus = createEventBus(stack, { targets, onFault: ({ message }) => void faults.push(message) })
  return { bus, delivered, buried, faults }
}

const settled = async (bus: { pending: () => number }) => {
  while (bus.pending() > 0) await delay(1)
}

describe('an event bus', () => {
  test('fills in what every event has, and hands it to each rule that matches', async () => {
    const Other = rule([{ Id: 'T', Arn: work }], { EventPattern: { source: ['aws.health'] } })
    const { bus, delivered } = start({ Changes: rule([{ Id: 'T', Arn: work }]), Other })
    expect(bus.putEvent({ source: 'aws.eks', detail: { a: 1 } })).toMatchObject([{ rule: 'Changes', target: 'Work' }])
    await settled(bus)
    expect(delivered).toEqual([
      [
        'Test-Work',
        {
          version: '0',
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          account: '111122223333',
          region: 'eu-west-1',
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          resources: [],
          source: 'aws.eks',
          detail: { a: 1 },
        },
        undefined,
      ],
    ])
  })

  test('a rule on another bus hears what is put there, or forwarded to it', async () => {
    const Fleet = { Type: 'AWS::Events::EventBus', Properties: { Name: 'fleet' } }
    const OnFleet = rule([{ Id: 'T', Arn: work }], { EventBusName: { Ref: 'Fleet' } })
    const Forward = rule([{ Id: 'T', Arn: { 'Fn::GetAtt': ['Fleet', 'Arn'] } }], {
      EventPattern: { source: ['spoke'] },
    })
    const { bus, delivered } = start({ Fleet, OnFleet, Forward })
    expect(bus.putEvent({ source: 'aws.eks' })).toEqual([])
    expect(bus.putEvent({ source: 'aws.eks' }, 'fleet')).toMatchObject([{ rule: 'OnFleet' }])
    expect(bus.putEvent({ source: 'spoke' })).toMatchObject([{ rule: 'Forward', target: 'Fleet' }])
    await settled(bus)
    expect(delivered).toHaveLength(1)
  })

  test('a FIFO queue gets the group that the target names', async () => {
    const { bus, delivered } = start({ R: rule([{ Id: 'T', Arn: work, SqsParameters: { MessageGroupId: 'g' } }]) })
    bus.putEvent({ source: 'aws.eks' })
    await settled(bus)
    expect(delivered.map(([, , groupId]) => groupId)).toEqual(['g'])
  })

  test('what cannot be delivered goes to the target’s dead letters, or is a fault', async () => {
    const kept = start(
      { R: rule([{ Id: 'T', Arn: work, DeadLetterConfig: { Arn: { 'Fn::GetAtt': ['Lost', 'Arn'] } } }]) },
      'Work',
    )
    kept.bus.putEvent({ source: 'aws.eks' })
    await settled(kept.bus)
    expect(kept.buried).toMatchObject([
      { RULE_ARN: expect.stringContaining(':rule/'), ERROR_MESSAGE: 'Error: no such target' },
    ])
    const dropped = start({ R: rule([{ Id: 'T', Arn: work }]) }, 'Work')
    dropped.bus.putEvent({ source: 'aws.eks' })
    await settled(dropped.bus)
    expect([dropped.buried, dropped.faults]).toEqual([[], ['no such target']])
  })
})
