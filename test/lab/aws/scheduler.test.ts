import { describe, expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { createScheduler } from '../../../lab/aws/scheduler.ts'
import type { Targets } from '../../../lab/aws/targets.ts'
import { resolveTemplate } from '../../../lab/aws/template.ts'

const at = { account: '111122223333', region: 'eu-west-1', stackName: 'Test', queuesUrl: 'http://127.0.0.1:1' }
const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:sweep'
const lost = 'arn:aws:sqs:eu-west-1:000000000000:lost'
const schedule = (ScheduleExpression: string, Target: object = {}, more: object = {}) => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: { ScheduleExpression, Target: { Arn: arn, ...Target }, ...more },
})

/** A scheduler whose targets only keep what they got, or fail. */
function start(Resources: object, fails = false) {
  const delivered: [string, unknown][] = []
  const buried: [string, unknown][] = []
  const faults: string[] = []
  const targets: Targets = {
    deliver: async (target, payload) => {
      if (fails) throw new Error('no such target')
      delivered.push([target, payload])
    },
    bury: async (queue, payload) => void buried.push([queue, payload]),
    stop: () => undefined,
  }
  const stack = resolveTemplate({ template: { Resources }, folder: '/tmp', stackName: 'Test' }, at)
  const scheduler = createScheduler(stack, { targets, onFault: ({ message }) => void faults.push(message) })
  return { scheduler, delivered, buried, faults }
}

const settled = async (scheduler: { pending: () => number }) => {
  while (scheduler.pending() > 0) await delay(1)
}

describe('schedules of the template', () => {
  test('fire the event that Scheduler sends where no input is given', async () => {
    const { scheduler, delivered } = start({ Hourly: schedule('rate(1 hour)') })
    scheduler.fire()
    await settled(scheduler)
    expect(delivered).toMatchObject([
      [arn, { source: 'aws.scheduler', 'detail-type': 'Scheduled Event', detail: '{}' }],
    ])
  })

  test('fire one by its label; a disabled one is none', async () => {
    const Off = schedule('rate(1 hour)', {}, { State: 'DISABLED' })
    const { scheduler, delivered } = start({
      A: schedule('rate(1 hour)', { Input: '{"a":1}' }),
      B: schedule('cron(0 1 * * ? *)', { Input: '{"b":1}' }),
      Off,
    })
    expect(scheduler.schedules).toEqual(['A', 'B'])
    scheduler.fire('B')
    await settled(scheduler)
    expect(delivered).toEqual([[arn, { b: 1 }]])
    expect(() => scheduler.fire('Off')).toThrow('no enabled schedule Off')
  })

  test('a rule with a schedule expression is one too', async () => {
    const Properties = { ScheduleExpression: 'rate(5 minutes)', Targets: [{ Id: 'T', Arn: arn }] }
    const { scheduler, delivered } = start({ Rule: { Type: 'AWS::Events::Rule', Properties } })
    scheduler.fire()
    await settled(scheduler)
    expect(delivered).toMatchObject([[arn, { source: 'aws.events', detail: {} }]])
  })

  test('what cannot be delivered goes to the dead letters, or is a fault', async () => {
    const kept = start({ A: schedule('rate(1 hour)', { Input: '{"a":1}', DeadLetterConfig: { Arn: lost } }) }, true)
    kept.scheduler.fire()
    await settled(kept.scheduler)
    expect([kept.buried, kept.faults]).toEqual([[[lost, { a: 1 }]], []])
    const dropped = start({ A: schedule('rate(1 hour)') }, true)
    dropped.scheduler.fire()
    await settled(dropped.scheduler)
    expect(dropped.faults).toEqual(['no such target'])
  })

  test('rates run by themselves when told to, crons do not', async () => {
    const { scheduler, delivered } = start({
      Often: schedule('rate(1 minute)', { Input: '"often"' }),
      Nightly: schedule('cron(0 1 * * ? *)', { Input: '"nightly"' }),
    })
    scheduler.run(1 / 6000)
    await delay(100)
    scheduler.stop()
    const fired = delivered.length
    expect(fired).toBeGreaterThan(2)
    expect(new Set(delivered.map(([, payload]) => payload))).toEqual(new Set(['often']))
    await delay(30)
    expect(delivered).toHaveLength(fired)
  })
})
