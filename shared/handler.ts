import middy from '@middy/core'
import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import type * as z from 'zod/mini'
import { PermanentError } from './errors.ts'
import { logger } from './log.ts'

type Log = ReturnType<typeof logger>['log']

/**
 * A function's frame: the request's id on every log line, and errors logged once before Lambda sees them.
 * Throwing means: try again, then the dead-letter queue, then an alarm.
 */
export const lambda = <Event, Result>(service: string, work: (event: Event, log: Log) => Promise<Result>) => {
  const { lines, log } = logger(service)
  return middy<Event, Result>()
    .before(({ context }) => lines.addContext(context))
    .onError(({ error }) => lines.error('failed', error ?? new Error('failed without an error')))
    .handler((event: Event) => work(event, log))
}

/**
 * The frame of a function that works off a queue, message by message. A message that fails is given back alone. One that
 * cannot be read is given back too, so that it ends in the dead-letter queue where people see it, and not in silence.
 */
export const worker = <S extends z.ZodMiniType>(
  service: string,
  schema: S,
  work: (message: z.output<S>, about: { messageId: string; log: Log }) => Promise<void>,
) => {
  const one = async (record: SQSRecord, log: Log): Promise<void> => {
    const message = schema.safeParse(parsed(record.body))
    if (!message.success) throw new Error(`This message cannot be read: ${message.error.issues[0]?.message}`)
    await work(message.data, { messageId: record.messageId, log })
  }
  return lambda(service, async ({ Records }: SQSEvent, log): Promise<SQSBatchResponse> => {
    const batchItemFailures: SQSBatchResponse['batchItemFailures'] = []
    for (const record of Records) {
      try {
        await one(record, log)
      } catch (error) {
        const { messageId } = record
        log('message failed', { messageId, error: error instanceof Error ? error.message : String(error) })
        if (!(error instanceof PermanentError)) batchItemFailures.push({ itemIdentifier: messageId })
      }
    }
    return { batchItemFailures }
  })
}

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
