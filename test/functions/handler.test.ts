import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import type { Context, SQSEvent } from 'aws-lambda'
import * as z from 'zod/mini'
import type { Received } from '../../shared/clients/aws/received.ts'
import { PermanentError, RetryLaterError } from '../../shared/errors.ts'
import { lambda, worker } from '../../shared/handler.ts'
import { receivesAtMost } from '../../shared/settings.ts'

const schema = z.object({ cluster: z.string() })
const context = { awsRequestId: 'r-1', functionName: 'f', getRemainingTimeInMillis: () => 60_000 } as Context

let buried: [id: string, reason: string][]
let postponed: [id: string, seconds: number][]
let worked: string[]
const lines: string[] = []
const received: Received = {
  bury: async ({ messageId }, reason) => void buried.push([messageId, reason]),
  postpone: async ({ messageId }, seconds) => void postponed.push([messageId, seconds]),
}

beforeEach(() => {
  buried = []
  postponed = []
  worked = []
  lines.length = 0
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
})
afterEach(() => void jest.restoreAllMocks())

const message = (id: string, { body = '{"cluster":"prod"}', receives = 1 } = {}) => ({
  messageId: id,
  body,
  receiptHandle: `handle-${id}`,
  attributes: { ApproximateReceiveCount: String(receives) },
})
const eventOf = (...records: ReturnType<typeof message>[]) => ({ Records: records }) as unknown as SQSEvent

/** Message ids that stay in the queue. */
const handle = async (event: SQSEvent, work: () => Promise<void>, from: Received = received): Promise<string[]> => {
  const handler = worker('test', {
    schema,
    received: from,
    work: async ({ cluster }) => {
      worked.push(cluster)
      await work()
    },
  })
  const { batchItemFailures } = await handler(event, context)
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
}
const throwing = (error: unknown) => async () => {
  throw error
}

describe('a message', () => {
  test('that was done is acknowledged, and nothing else happens to it', async () => {
    expect(await handle(eventOf(message('a')), async () => {})).toEqual([])
    expect({ worked, buried, postponed }).toEqual({ worked: ['prod'], buried: [], postponed: [] })
  })

  test.each(['', 'nonsense', '[]', '{"cluster":7}', 'null'])(
    'that cannot be read (%j) is a dead letter at once, with the reason',
    async (body) => {
      expect(await handle(eventOf(message('a', { body })), async () => {})).toEqual([])
      expect(buried).toEqual([['a', expect.stringContaining('cannot be read')]])
      expect(worked).toEqual([])
    },
  )

  test('that no retry can help is a dead letter at once, with the reason', async () => {
    expect(await handle(eventOf(message('a')), throwing(new PermanentError('Slack refused it with 404')))).toEqual([])
    expect(buried).toEqual([['a', 'Slack refused it with 404']])
  })

  test.each(Array.from({ length: receivesAtMost - 1 }, (_, index) => index + 1))(
    'that fails for another reason stays in the queue (receive %d)',
    async (receives) => {
      expect(await handle(eventOf(message('a', { receives })), throwing(new Error('SQS is down')))).toEqual(['a'])
      expect({ buried, postponed }).toEqual({ buried: [], postponed: [] })
    },
  )

  test.each([new Error('SQS is down'), new RetryLaterError('Slack answered 429', 17), 'a text'])(
    'that failed on its last receive is a dead letter with the last reason (%p)',
    async (error) => {
      expect(await handle(eventOf(message('a', { receives: receivesAtMost })), throwing(error))).toEqual([])
      expect(buried).toEqual([['a', error instanceof Error ? error.message : error]])
    },
  )

  test.each([
    [1, 300, 300],
    [1, 5, 30],
    [2, 5, 90],
    [4, 5, 810],
    [4, 900, 900],
  ])('on receive %d that must wait %d s comes back after %d s', async (receives, asked, seconds) => {
    const work = throwing(new RetryLaterError('Slack answered 429', asked))
    expect(await handle(eventOf(message('a', { receives })), work)).toEqual(['a'])
    expect(postponed).toEqual([['a', seconds]])
  })

  test.each([
    ['bury', new PermanentError('gone')],
    ['postpone', new RetryLaterError('later', 30)],
  ])('is never acknowledged where SQS refuses to %s it', async (call, error) => {
    const refusing = { ...received, [call]: throwing(new Error('SQS refused')) }
    expect(await handle(eventOf(message('a')), throwing(error), refusing)).toEqual(['a'])
    expect(lines.join('\n')).toContain('SQS refused')
  })

  test('that fails keeps no other from being done', async () => {
    let calls = 0
    const work = async () => {
      calls += 1
      if (calls === 1) throw new Error('first')
    }
    expect(await handle(eventOf(message('a'), message('b')), work)).toEqual(['a'])
  })

  test('that fails is one line of the log: its id, the reason, and what comes next', async () => {
    await handle(eventOf(message('a')), throwing(new PermanentError('gone')))
    const failed = lines.map((line) => JSON.parse(line) as object).filter((it) => 'error' in it)
    expect(failed).toEqual([
      expect.objectContaining({ message: 'message failed', messageId: 'a', error: 'gone', next: 'dead letters' }),
    ])
    expect(failed[0]).toMatchObject({ service: 'test', function_request_id: 'r-1' })
  })
})

test('a function without a queue logs what it throws and lets Lambda see it', async () => {
  const handler = lambda('test', throwing(new Error('EKS said no')) as () => Promise<void>)
  await expect(handler({}, context)).rejects.toThrow('EKS said no')
  expect(lines.join('\n')).toContain('EKS said no')
})
