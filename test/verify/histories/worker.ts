import type { SQSRecord } from 'aws-lambda'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type * as z from 'zod/mini'
import { received } from '../../../shared/clients/aws/received.ts'
import { isLastTry } from '../../../shared/dead-letters.ts'
import { PermanentError, RetryLaterError } from '../../../shared/errors.ts'
import type { Log } from '../../../shared/log.ts'
import type { Party } from './call.ts'
import type { Message, Worker } from './queues.ts'
import { deadOf, urlOf } from './sqs.ts'
import type { Stage } from './stage.ts'

export type Start = (name: string, seconds: number) => Party
export type Act<Body> = (
  message: Body,
  about: { party: Party; messageId: string; receives: number },
) => Promise<unknown>

interface Place {
  start: Start
  sqs: (party: Party) => SQSClient
  name: string
}

/** The seconds after which Lambda stops a function of a queue. */
const timeoutSeconds = 60

/**
 * What `worker` of shared/handler.ts does with a message, in virtual time: that one takes the time left from Lambda and from
 * the process's own clock.
 */
export const worked =
  <S extends z.ZodMiniType>(
    stage: Stage,
    { start, sqs, name }: Place,
    { schema, act }: { schema: S; act: Act<z.output<S>> },
  ): Worker =>
  async (message) => {
    const party = start(name, timeoutSeconds)
    const settling = received(sqs(party), { queue: urlOf(name), deadLetters: deadOf(name) })
    try {
      const body = schema.safeParse(JSON.parse(message.body))
      if (!body.success) throw new PermanentError(`This message cannot be read: ${body.error.issues[0]?.message}`)
      party.incarnation = (body.data as { incarnation?: string }).incarnation
      await act(body.data, { party, messageId: message.id, receives: message.receives })
      return true
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      stage.note(party.name, `failed: ${text}`)
      return settle(settling, { message, error, text }).catch(() => false)
    }
  }

const settle = async (
  { bury, postpone }: ReturnType<typeof received>,
  { message, error, text }: { message: Message; error: unknown; text: string },
): Promise<boolean> => {
  const record = recordOf(message)
  if (isLastTry(error, message.receives)) {
    await bury(record, text)
    return true
  }
  if (error instanceof RetryLaterError)
    await postpone(record, Math.max(error.retryAfterSeconds, 30 * 3 ** (message.receives - 1)))
  return false
}

const recordOf = ({ id, body, receipt, group }: Message): SQSRecord =>
  ({ messageId: id, body, receiptHandle: receipt, attributes: { MessageGroupId: group } }) as unknown as SQSRecord

/** An asynchronous invocation: repeated twice where it fails, after a minute and after two more. */
export const invoked = (
  stage: Stage,
  start: Start,
  { name, seconds }: { name: string; seconds: number },
  act: (party: Party) => Promise<void>,
): void => {
  const attempt = (left: number): void => {
    const party = start(name, seconds)
    let isDone = false
    const again = () => {
      if (isDone || left === 0) return
      isDone = true
      stage.schedule.after((3 - left) * 60_000, () => attempt(left - 1))
    }
    // Lambda stops it; then it is repeated like one that failed.
    stage.schedule.after(seconds * 1000 + 1, again)
    act(party).then(
      () => void (isDone = true),
      (error: unknown) => {
        stage.note(party.name, `failed: ${String(error)}`)
        again()
      },
    )
  }
  attempt(2)
}

/** Into the story: what people would find in the log. */
export const logOf =
  (stage: Stage, { name }: Party): Log =>
  (event, facts) =>
    stage.note(name, `${event} ${summaryOf(facts as Record<string, unknown>)}`)

const told = ['cluster', 'verdict', 'reason', 'next', 'state', 'why', 'waits', 'changes', 'blockedBy', 'findings']
const summaryOf = (facts: Record<string, unknown>): string =>
  told.flatMap((key) => (facts[key] === undefined ? [] : [`${key}=${textOf(facts[key])}`])).join(' ')

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 160)
