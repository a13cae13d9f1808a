import { describe, expect, test } from '@jest/globals'
import { deployment, everything, labelled } from './deployment.ts'

const stack = deployment(everything)
const queues = stack.ofType('AWS::SQS::Queue')
const isDeadLetters = ({ logicalId }: { logicalId: string }) => logicalId.includes('DeadLetters')
const mappings = stack.ofType('AWS::Lambda::EventSourceMapping').map(({ properties }) => properties)

describe('queues', () => {
  test('work has five queues; all others hold dead letters', () => {
    const work = queues.filter((queue) => !isDeadLetters(queue)).map(({ logicalId }) => logicalId.slice(0, -8))
    expect(work.toSorted()).toEqual(['Evaluations', 'Places', 'RolloutSteps', 'SlackNotices', 'Tellings'])
    expect(queues.filter(isDeadLetters)).toHaveLength(9)
  })

  test('whatever fails five times is kept for 14 days in a queue of the same kind', () => {
    for (const { properties } of queues.filter((queue) => !isDeadLetters(queue))) {
      const { deadLetterTargetArn, maxReceiveCount } = properties['RedrivePolicy'] as Record<string, unknown>
      const letters = stack.byArn(String(deadLetterTargetArn))
      expect(maxReceiveCount).toBe(5)
      expect(letters?.properties['MessageRetentionPeriod']).toBe(14 * 24 * 3600)
      expect(letters?.properties['FifoQueue']).toBe(properties['FifoQueue'])
    }
  })

  test('somebody is told as soon as one dead letter lies in any of them', () => {
    const watched = stack
      .ofType('AWS::CloudWatch::Alarm')
      .filter(({ properties }) => properties['MetricName'] === 'ApproximateNumberOfMessagesVisible')
    expect(watched.every(({ properties }) => properties['Threshold'] === 1)).toBe(true)
    const names = watched.map(({ properties }) => (properties['Dimensions'] as { Value: string }[])[0]?.Value ?? '')
    expect(names.toSorted()).toEqual(
      queues
        .filter(isDeadLetters)
        .map(({ name }) => name)
        .toSorted(),
    )
  })

  test('every queue is encrypted and refuses plain HTTP', () => {
    const policies = stack.ofType('AWS::SQS::QueuePolicy').map(({ properties }) => JSON.stringify(properties))
    for (const queue of queues) {
      expect(queue.properties['SqsManagedSseEnabled']).toBe(true)
      const refusing = policies.filter(
        (policy) => policy.includes(`"${queue.arn}"`) && policy.includes('"aws:SecureTransport":"false"'),
      )
      expect(refusing).toHaveLength(1)
    }
  })

  test('a message stays hidden for at least six timeouts of the function that works on it', () => {
    expect(mappings).toHaveLength(5)
    for (const { EventSourceArn, FunctionName } of mappings) {
      const queue = stack.byArn(String(EventSourceArn))
      const worker = stack.ofType('AWS::Lambda::Function').find(({ ref }) => ref === FunctionName)
      expect(Number(queue?.properties['VisibilityTimeout'])).toBeGreaterThanOrEqual(
        6 * Number(worker?.properties['Timeout']),
      )
    }
  })

  test('one message at a time, of which failures alone come back', () => {
    for (const mapping of mappings)
      expect(mapping).toMatchObject({ BatchSize: 1, FunctionResponseTypes: ['ReportBatchItemFailures'] })
  })

  test('notices sent, places listed, clusters looked at, clusters changed and posts to Slack at one time are bounded', () => {
    const bounds = mappings.map(
      ({ ScalingConfig }) => (ScalingConfig as { MaximumConcurrency: number }).MaximumConcurrency,
    )
    expect(bounds).toEqual([2, 5, 10, 5, 2])
  })

  test('steps of one cluster are kept in order and told apart by their ids, not by their text', () => {
    expect(labelled(stack, 'AWS::SQS::Queue', 'RolloutSteps').properties).toMatchObject({
      FifoQueue: true,
      ContentBasedDeduplication: false,
    })
    expect(labelled(stack, 'AWS::SQS::Queue', 'Evaluations').properties).not.toHaveProperty('FifoQueue')
  })
})
