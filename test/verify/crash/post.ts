import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import type { Clock } from './clock.ts'

/** SQS as far as a chain of messages depends on it: delays, groups, deduplication, at least once, dead letters. */
export interface Post {
  /** In place of `SQSClient.send`. */
  send: (command: unknown) => Promise<object>
  /** The next message that may be received, after waiting for it if there is any to wait for. */
  receive: () => Promise<Received | undefined>
  /** Takes it off the queue, unless the delivery has it come again. */
  acknowledge: (message: Received) => void
  /** Every message that was received, redeliveries included. */
  deliveries: number
  deadLetters: number
}

export interface Received {
  id: string
  queue: QueueName
  body: string
}

export type QueueName = 'evaluations' | 'rollout-steps.fifo' | 'tellings'

/** What SQS may do to messages, and hardly ever does. Deterministic, so that a run can be repeated. */
export interface DeliveryFaults {
  /** Each message comes this many times though it was acknowledged. */
  copies?: number
  /** Of messages that could be received, not always the oldest. Only where a queue keeps no order. */
  reordered?: boolean
  /** Milliseconds that each message comes late. */
  late?: (nth: number) => number
  /** Told when time is skipped, before it is. */
  beforeSkip?: () => Promise<void>
}

interface Letter extends Received {
  visibleAt: number
  receives: number
  copies: number
  group?: string
}

const dedupWindow = 300_000
/** Six times the functions' timeout, as the stack has it. */
const invisible = 360_000
const receivesAtMost = 5

export const createPost = (clock: Clock, delivery: DeliveryFaults = {}): Post => {
  let letters: Letter[] = []
  const accepted = new Map<string, number>()
  let sent = 0
  const now = () => clock.now().getTime()
  const take = (command: SendMessageCommand): void => {
    const { QueueUrl, MessageBody = '', DelaySeconds = 0, MessageGroupId, MessageDeduplicationId } = command.input
    const dedup = MessageDeduplicationId && `${QueueUrl} ${MessageDeduplicationId}`
    if (dedup && now() - (accepted.get(dedup) ?? Number.NEGATIVE_INFINITY) < dedupWindow) return
    if (dedup) accepted.set(dedup, now())
    sent += 1
    letters.push({
      id: `message-${sent}`,
      queue: QueueUrl as QueueName,
      body: MessageBody,
      visibleAt: now() + DelaySeconds * 1000 + (delivery.late?.(sent) ?? 0),
      receives: 0,
      copies: delivery.copies ?? 1,
      ...(MessageGroupId && { group: MessageGroupId }),
    })
  }
  /** In a FIFO queue a message that is being worked on holds up its group. */
  const receivable = (): Letter[] => letters.filter((it, index) => !it.group || index === firstOf(letters, it.group))
  const post: Post = {
    deliveries: 0,
    deadLetters: 0,
    send: async (command) => {
      if (command instanceof SendMessageCommand) take(command)
      else if (command instanceof SendMessageBatchCommand) {
        const { QueueUrl, Entries = [] } = command.input
        for (const { Id: _id, ...entry } of Entries)
          take(new SendMessageCommand({ QueueUrl, ...entry, MessageBody: entry.MessageBody }))
      } else throw new Error('The crash harness knows no such command of SQS.')
      return {}
    },
    receive: async () => {
      const soonest = Math.min(...receivable().map(({ visibleAt }) => visibleAt))
      if (soonest === Number.POSITIVE_INFINITY) return undefined
      if (soonest > now()) {
        await delivery.beforeSkip?.()
        clock.skip(soonest - now())
      }
      const ready = receivable().filter(({ visibleAt }) => visibleAt <= now())
      const letter = delivery.reordered ? ready.at(-1) : ready.toSorted((a, b) => a.visibleAt - b.visibleAt)[0]
      if (!letter) return undefined
      if (letter.receives === receivesAtMost) {
        letters = letters.filter((it) => it !== letter)
        post.deadLetters += 1
        return post.receive()
      }
      letter.receives += 1
      letter.visibleAt = now() + invisible
      post.deliveries += 1
      return letter
    },
    acknowledge: (message) => {
      const letter = letters.find(({ id }) => id === message.id)
      if (!letter) return
      letter.copies -= 1
      letter.receives = 0
      letter.visibleAt = now()
      if (letter.copies <= 0) letters = letters.filter((it) => it !== letter)
    },
  }
  return post
}

const firstOf = (letters: Letter[], group: string): number => letters.findIndex((it) => it.group === group)
