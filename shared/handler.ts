import middy from '@middy/core'
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import type * as z from 'zod/mini'
import type { Received } from './clients/aws/received.ts'
import { originOf, withOrigin } from './correlation.ts'
import { isLastTry } from './dead-letters.ts'
import { withDeadline } from './deadline.ts'
import { PermanentError, RetryLaterError } from './errors.ts'
import { type Log, logger } from './log.ts'

/** Reserved time of the function for the last lines of its log. */
const endingMs = 1_000

/**
 * Wraps a function: adds the request's id to every log line, and logs errors once before Lambda receives them. All
 * calls end before Lambda would stop the function. A thrown error leads to a retry, then to the dead-letter queue and
 * an alarm. `requestId`: the same for each retry of one event.
 */
export const lambda = <Event, Result>(
  service: string,
  work: (event: Event, log: Log, left: () => number, requestId: string) => Promise<Result>,
) => {
  const { lines, log, failed } = logger(service)
  const within = <T>(event: Event, { awsRequestId }: Context, act: () => T) =>
    withOrigin(originOf(event, awsRequestId), act)
  return middy<Event, Result>()
    .before(({ context }) => lines.addContext(context))
    .onError(({ event, context, error }) =>
      within(event, context, () => failed(error ?? new Error('failed without an error'))),
    )
    .handler((event: Event, context: Context) => {
      const left = () => context.getRemainingTimeInMillis() - endingMs
      const act = () => withDeadline(left(), () => work(event, log, left, context.awsRequestId))
      return within(event, context, act)
    })
}

export interface Work<S extends z.ZodMiniType> {
  schema: S
  received: Received
  /**
   * Throws `PermanentError` if a retry cannot help, `RetryLaterError` if a service throttles; any other error is
   * retried.
   */
  work: (message: z.output<S>, about: { messageId: string; receives: number; log: Log }) => Promise<void>
}

/**
 * Wraps a function that processes a queue, message by message. A message is acknowledged only after it was processed,
 * or after it was moved to the dead-letter queue with the reason: at once if a retry cannot help, else after the last
 * retry.
 */
export const worker = <S extends z.ZodMiniType>(service: string, { schema, received, work }: Work<S>) => {
  const one = async (record: SQSRecord, log: Log): Promise<void> => {
    const message = schema.safeParse(parsed(record.body))
    if (!message.success) throw new PermanentError(`This message cannot be read: ${message.error.issues[0]?.message}`)
    await work(message.data, { messageId: record.messageId, receives: receivesOf(record), log })
  }
  /** Whether the message may be acknowledged. */
  const attempt = async (record: SQSRecord, log: Log, ms: number): Promise<boolean> => {
    const { messageId } = record
    try {
      await withDeadline(ms, () => one(record, log))
      return true
    } catch (error) {
      const ending = endingOf(error, record)
      log('message failed', { messageId, ...ending })
      return settle(received, record, ending).catch((fault: unknown) => {
        log('message not settled', { messageId, error: textOf(fault) })
        return false
      })
    }
  }
  return lambda(service, async ({ Records }: SQSEvent, log, left): Promise<SQSBatchResponse> => {
    const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
    for (const record of Records) {
      const { messageId: itemIdentifier, body } = record
      const from = originOf(parsed(body), itemIdentifier)
      const isDone = await withOrigin(from, () => attempt(record, log, left() - settlingMs))
      if (!isDone) batchItemFailures.push({ itemIdentifier })
    }
    return { batchItemFailures }
  })
}

/** Reserved time of the function for a failed message: one call of SQS, which may be slow too. */
const settlingMs = 4_000

type Ending = { error: string } & ({ next: 'dead letters' } | { next: 'retry' } | { next: 'retry'; seconds: number })

const receivesOf = ({ attributes }: SQSRecord): number => Number(attributes.ApproximateReceiveCount) || 1

const endingOf = (error: unknown, record: SQSRecord): Ending => {
  const receives = receivesOf(record)
  const about = { error: textOf(error) }
  if (isLastTry(error, receives)) return { ...about, next: 'dead letters' }
  if (!(error instanceof RetryLaterError)) return { ...about, next: 'retry' }
  return { ...about, next: 'retry', seconds: Math.max(error.retryAfterSeconds, backoffSeconds * 3 ** (receives - 1)) }
}

/** 30, 90, 270, 810 s: so a service that is down for ten minutes causes no dead letter. */
const backoffSeconds = 30

/** Whether the message may be acknowledged. */
const settle = async (received: Received, record: SQSRecord, ending: Ending): Promise<boolean> => {
  if (ending.next === 'dead letters') await received.bury(record, ending.error)
  else if ('seconds' in ending) await received.postpone(record, ending.seconds)
  return ending.next === 'dead letters'
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
